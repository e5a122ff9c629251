use serde_json::{Value, json};

use super::*;
use crate::settings::tests::{network, settings};

const IMAGE: &str = "127.0.0.1:4000/shop/web@sha256:0000";

fn made(given: &Value) -> Result<Value, Refusal> {
    body(&settings(), &network(), given.to_string().as_bytes())
}

/// With one field more in `HostConfig`.
fn with_host(name: &str, value: &Value) -> Result<Value, Refusal> {
    made(&json!({ "Image": IMAGE, "HostConfig": { "NetworkMode": "shop-net", name: value } }))
}

/// As the client library of the emulator asks, recorded.
#[test]
fn a_task_is_made_with_safe_settings_and_the_labels_of_its_rehearsal() {
    let asked = json!({
        "Tty": false, "OpenStdin": false, "StdinOnce": false, "AttachStdin": false, "AttachStdout": false,
        "AttachStderr": false, "Env": ["A=b"], "Image": IMAGE, "NetworkDisabled": false,
        "HostConfig": { "NetworkMode": "shop-net" }, "NetworkingConfig": { "shop-net": null },
        "Labels": { "ministack": "ecs" }, "Cmd": ["serve"],
    });
    let made = made(&asked).expect("let through");
    let expected = json!({
        "Image": IMAGE,
        "Env": ["A=b"],
        "Cmd": ["serve"],
        "Labels": { "ministack": "ecs", "devenv.state": "/shop", "devenv.task": "/shop" },
        "HostConfig": {
            "NetworkMode": "0123abcd",
            "Privileged": false,
            "CapDrop": ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
            "SecurityOpt": ["no-new-privileges:true"],
            "PidsLimit": 4096,
            "RestartPolicy": { "Name": "no" },
            "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } },
        },
    });
    assert_eq!(made, expected);
}

#[test]
fn a_task_of_a_foreign_image_has_the_same_limits_whoever_its_user_is() {
    let of = |user: Value| {
        let asked = json!({
            "Image": IMAGE, "User": user, "Entrypoint": ["/entry.sh"], "Cmd": ["serve"], "WorkingDir": "/srv",
        });
        made(&asked).expect("let through")
    };
    let safe = &made(&json!({ "Image": IMAGE })).expect("let through")["HostConfig"];
    // Without a user the engine takes the image's, which may be root.
    for user in [json!(""), json!("0:0"), json!("app"), json!("65532:65532")] {
        assert_eq!(of(user.clone())["HostConfig"], *safe, "{user}");
    }
    assert_eq!(of(json!("app"))["User"], "app");
}

#[test]
fn nothing_of_the_machine_is_given_to_a_task() {
    let mount = json!([{ "Type": "bind", "Source": "/", "Target": "/host" }]);
    for (name, value) in [
        ("Binds", json!(["/:/host"])),
        ("Binds", json!(["volume:/data"])),
        ("Mounts", mount),
        ("Mounts", json!([{ "Type": "volume", "Source": "other", "Target": "/data" }])),
        ("Tmpfs", json!({ "/tmp": "" })),
        ("VolumesFrom", json!(["other"])),
        ("VolumeDriver", json!("local")),
        ("Privileged", json!(true)),
        ("PidMode", json!("host")),
        ("PidMode", json!("container:other")),
        ("IpcMode", json!("host")),
        ("UTSMode", json!("host")),
        ("UsernsMode", json!("host")),
        ("CgroupnsMode", json!("host")),
        ("CgroupParent", json!("/")),
        ("Cgroup", json!("host")),
        ("NetworkMode", json!("host")),
        ("NetworkMode", json!("bridge")),
        ("NetworkMode", json!("container:shop-rehearsal-guard")),
        ("NetworkMode", json!("shop-net-other")),
        ("NetworkMode", json!(["shop-net"])),
        ("CapAdd", json!(["SYS_ADMIN"])),
        ("CapDrop", json!(["ALL"])),
        ("Capabilities", json!(["SYS_ADMIN"])),
        ("Devices", json!([{ "PathOnHost": "/dev/sda" }])),
        ("DeviceRequests", json!([{ "Driver": "nvidia" }])),
        ("DeviceCgroupRules", json!(["a *:* rwm"])),
        ("SecurityOpt", json!(["seccomp=unconfined"])),
        ("SecurityOpt", json!(["apparmor=unconfined"])),
        ("Sysctls", json!({ "kernel.core_pattern": "|/x" })),
        ("Ulimits", json!([{ "Name": "core" }])),
        ("ExtraHosts", json!(["a:host-gateway"])),
        ("Dns", json!(["1.1.1.1"])),
        ("Links", json!(["other:other"])),
        ("PortBindings", json!({ "80/tcp": [{ "HostPort": "80" }] })),
        ("PublishAllPorts", json!(true)),
        ("Runtime", json!("other")),
        ("RestartPolicy", json!({ "Name": "always" })),
        ("AutoRemove", json!(true)),
        ("LogConfig", json!({ "Type": "syslog" })),
        ("ContainerIDFile", json!("/x")),
        ("GroupAdd", json!(["0"])),
        ("OomScoreAdj", json!(-1000)),
        ("OomKillDisable", json!(true)),
        ("ReadonlyPaths", json!(["/x"])),
        ("MaskedPaths", json!(["/x"])),
        ("Memory", json!(1)),
        ("Init", json!(true)),
        ("binds", json!(["/:/host"])),
        ("Unheard", json!("of")),
    ] {
        let refused = with_host(name, &value).expect_err(name);
        assert!(refused.0.contains(name), "{}", refused.0);
    }
}

#[test]
fn what_asks_for_nothing_is_left_away() {
    // An empty list of masked paths would unmask them all.
    for (name, value) in [
        ("Binds", Value::Null),
        ("MaskedPaths", json!([])),
        ("ReadonlyPaths", json!([])),
        ("Privileged", json!(false)),
        ("PidMode", json!("")),
        ("Memory", json!(0)),
        ("PortBindings", json!({})),
    ] {
        let made = with_host(name, &value).expect(name);
        assert_eq!(made["HostConfig"], safe(&network()), "{name}");
    }
    let made = made(&json!({ "Image": IMAGE, "Hostname": "", "Volumes": {}, "hostconfig": null })).expect("nothing");
    let fields: Vec<&String> = made.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["HostConfig", "Image", "Labels"]);
}

#[test]
fn a_field_that_is_not_known_is_refused() {
    for (name, value) in [
        ("Hostname", json!("emulated-aws")),
        ("Domainname", json!("x")),
        ("Volumes", json!({ "/data": {} })),
        ("ExposedPorts", json!({ "80/tcp": {} })),
        ("Healthcheck", json!({ "Test": ["CMD", "x"] })),
        ("MacAddress", json!("02:42:ac:12:00:02")),
        ("OnBuild", json!(["RUN x"])),
        ("Shell", json!(["sh"])),
        ("Tty", json!(true)),
        ("AttachStdin", json!(true)),
        ("NetworkDisabled", json!(true)),
        ("hostconfig", json!({ "Privileged": true })),
        ("hostConfig", json!({ "Privileged": true })),
        ("User", json!(0)),
        ("User", json!(7)),
        ("Env", json!([1])),
        ("Env", json!({ "A": "b" })),
        ("Cmd", json!([["x"]])),
        ("Labels", json!(["a=b"])),
        ("Labels", json!({ "a": 1 })),
        ("Labels", json!({ "devenv.task": "/other" })),
        ("Labels", json!({ "devenv.root": "/other" })),
        ("HostConfig", json!("x")),
        ("NetworkingConfig", json!("x")),
        ("NetworkingConfig", json!({ "other": null })),
        ("NetworkingConfig", json!({ "shop-net": { "IPAMConfig": { "IPv4Address": "172.18.0.2" } } })),
        ("NetworkingConfig", json!({ "EndpointsConfig": { "other": {} } })),
        ("NetworkingConfig", json!({ "EndpointsConfig": { "shop-net": { "Aliases": ["emulated-aws"] } } })),
        ("NetworkingConfig", json!({ "EndpointsConfig": "x" })),
    ] {
        if asks_for_nothing(&value) {
            continue;
        }
        let mut asked = json!({ "Image": IMAGE });
        asked[name] = value.clone();
        assert!(made(&asked).is_err(), "{name}: {value}");
    }
    made(&json!({ "Image": IMAGE, "NetworkingConfig": { "EndpointsConfig": { "shop-net": {} } } })).expect("its own");
}

#[test]
fn only_images_of_the_rehearsals_registry_are_run() {
    for image in ["alpine", "devenv-emulator:local", "sha256:0000", "127.0.0.1:4001/shop/web:1", ""] {
        assert!(made(&json!({ "Image": image })).is_err(), "{image}");
    }
    assert!(made(&json!({})).is_err());
    assert!(made(&json!({ "Image": [IMAGE] })).is_err());
}

#[test]
fn what_is_no_description_or_too_long_is_refused() {
    for given in ["", "[]", "null", "1", "{", "{}{}", "{\"Image\": \"a\"} x"] {
        assert!(body(&settings(), &network(), given.as_bytes()).is_err(), "{given}");
    }
    let long = json!({ "Image": IMAGE, "Env": ["a".repeat(LONGEST)] });
    assert!(made(&long).is_err());
    let deep = format!("{{\"Image\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(body(&settings(), &network(), deep.as_bytes()).is_err());
    // The last of two fields of one name counts, and it alone is passed on.
    let twice = format!("{{\"Image\": \"alpine\", \"Image\": \"{IMAGE}\"}}");
    let made = body(&settings(), &network(), twice.as_bytes()).expect("one image");
    assert_eq!(made["Image"], IMAGE);
}
