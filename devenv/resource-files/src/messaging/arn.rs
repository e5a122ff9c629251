//! ARNs of what this project declares: region and account are empty, because each environment has others.

/// The name in an ARN of `service`, or the mistake and its remedy.
pub(super) fn declared<'a>(arn: &'a str, service: &str) -> Result<&'a str, (String, String)> {
    let help = || format!("write arn:aws:{service}:::NAME for something that a file here declares");
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", "aws", of, region, account, name] if of == service && !name.is_empty() => {
            if region.is_empty() && account.is_empty() {
                return Ok(name);
            }
            let help = format!("leave both empty: arn:aws:{service}:::{name}");
            Err((format!("{arn} names a region or an account, and each environment has its own"), help))
        }
        ["arn", _, of, ..] if of != service => Err((format!("{arn} is no ARN of {service}"), help())),
        _ => Err((format!("{arn} is not an ARN"), help())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_arn_without_region_and_account_is_declared_here() {
        assert_eq!(declared("arn:aws:sqs:::work.fifo", "sqs"), Ok("work.fifo"));
        for wrong in [
            "arn:aws:sqs:eu-west-1:000000000000:work",
            "arn:aws:sqs:::",
            "arn:aws:sns:::work",
            "arn:aws-cn:sqs:::work",
            "work",
            "",
        ] {
            assert!(declared(wrong, "sqs").is_err(), "{wrong}");
        }
    }
}
