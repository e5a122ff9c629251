use devenv_promotion::Identity;

pub(crate) async fn the_caller_is_known(identity: &dyn Identity) {
    let caller = identity.caller().await.expect("somebody is logged in");
    assert!(caller.account.len() == 12 && caller.account.bytes().all(|byte| byte.is_ascii_digit()), "{caller:?}");
    assert!(caller.arn.starts_with("arn:aws:") && caller.arn.contains(&caller.account), "{caller:?}");
    assert_eq!(identity.region(), None, "nobody named one");
}
