//! What a Compose file says about containers: mounts, files, networks, resources, rights.

use devenv_model::container::{
    Attachment, Bind, ContainerSettings, FileSource, Mount, MountSource, MountedFile, Namespace, Network, NetworkMode,
    Volume, VolumesFrom,
};
use devenv_model::manifest::{Concerns, Service};
use devenv_model::transport::Protocol;

use crate::sources::Sources;

/// A project whose service `web` has these lines, beside these top-level sections.
fn sources(lines: &str, sections: &str) -> Sources {
    let mut sources = Sources::good();
    sources.settings = sources.settings.lines().take(5).collect::<Vec<_>>().join("\n");
    "services:\n  back: { image: back:1 }\n  web:\n    image: web\n".clone_into(&mut sources.compose);
    for line in lines.lines() {
        sources.compose += &["    ", line, "\n"].concat();
    }
    sources.compose += sections;
    sources.variables = vec![("PASSWORD".to_owned(), "hunter2".to_owned())];
    sources
}

fn services(lines: &str, sections: &str) -> std::collections::BTreeMap<String, Service> {
    sources(lines, sections).assemble().unwrap_or_else(|error| panic!("{error}")).services
}

fn web(lines: &str, sections: &str) -> Service {
    services(lines, sections)["web"].clone()
}

fn settings(lines: &str, sections: &str) -> ContainerSettings {
    web(lines, sections).container
}

/// The message and the help of the only mistake.
fn refused(lines: &str, sections: &str) -> String {
    let problems = sources(lines, sections).assemble().expect_err("it is refused").problems;
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    format!("{problem}; {}", problem.help.as_deref().unwrap_or_default())
}

fn notices(lines: &str, concerns: Concerns) -> Vec<String> {
    let notices = web(lines, "").notices;
    notices.into_iter().filter(|notice| notice.concerns == concerns).map(|notice| notice.text).collect()
}

#[test]
fn mounts() {
    let read = settings(
        "volumes:\n  - data:/data\n  - cache:/cache:ro,nocopy\n  - /anonymous\n  - ./conf:/etc/app:ro\n  - \
         { type: tmpfs, target: /scratch, tmpfs: { size: 64m, mode: 01777 } }\n  - \
         { type: bind, source: ., target: /src, bind: { propagation: rslave, selinux: z } }\ntmpfs: [\"/run:size=1m\"]",
        "volumes:\n  data:\n  cache: { name: shared, driver: local, driver_opts: { type: tmpfs }, labels: { a: b } }\n",
    );
    let named = |key: &str| Volume { key: key.to_owned(), ..Volume::default() };
    let mount = |target: &str, source: MountSource| Mount { target: target.to_owned(), read_only: false, source };
    let bind =
        |path: &str| Bind { path: path.to_owned(), create: false, propagation: None, selinux: None, recursive: true };
    let cache = Volume {
        name: Some("shared".to_owned()),
        driver_options: [("type".to_owned(), "tmpfs".to_owned())].into(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        ..named("cache")
    };
    let source = Bind { propagation: Some("rslave".to_owned()), selinux: Some("z".to_owned()), ..bind("/shop") };
    let expected = [
        mount("/data", MountSource::Volume { volume: named("data"), no_copy: false }),
        Mount { read_only: true, ..mount("/cache", MountSource::Volume { volume: cache, no_copy: true }) },
        mount("/anonymous", MountSource::Anonymous { no_copy: false }),
        Mount { read_only: true, ..mount("/etc/app", MountSource::Bind(Bind { create: true, ..bind("/shop/conf") })) },
        Mount::memory_with("/scratch", "size=67108864,mode=1777"),
        mount("/src", MountSource::Bind(source)),
        Mount::memory_with("/run", "size=1m"),
    ];
    assert_eq!(read.mounts, expected);
}

#[test]
fn external_volumes_and_the_volumes_of_others() {
    let read = settings("volumes: [\"data:/data\"]", "volumes: { data: { external: true, name: theirs } }\n");
    let MountSource::Volume { volume, .. } = &read.mounts[0].source else { panic!("{read:?}") };
    assert_eq!((volume.external, volume.name.as_deref()), (true, Some("theirs")));
    let read = settings("volumes_from: [\"back:ro\"]", "");
    assert_eq!(read.volumes_from, [VolumesFrom { service: "back".to_owned(), read_only: true }]);
}

#[test]
fn what_a_mount_cannot_be() {
    let driver = refused("volumes: [\"data:/data\"]", "volumes: { data: { driver: rexray } }\n");
    assert!(driver.contains("the volume driver rexray") && driver.contains("external: true"), "{driver}");
    let relative = refused("volumes: [\"data:data\"]", "volumes: { data: }\n");
    assert!(relative.contains("data is not an absolute path in the container"), "{relative}");
    let pipe = refused("volumes: [{ type: npipe, source: x, target: /x }]", "");
    assert!(pipe.contains("volumes of the type npipe"), "{pipe}");
}

#[test]
fn a_path_outside_of_the_project_is_noticed_and_a_socket_of_the_engine_more_so() {
    let of = |line: &str| notices(line, Concerns::Containers);
    assert_eq!(of("volumes: [\"./inside:/a\"]"), [""; 0]);
    let outside = of("volumes: [\"../other:/a\"]");
    assert_eq!(outside, ["compose.yaml:5: web mounts /other, which is outside the project"]);
    let socket = of("volumes: [\"/var/run/docker.sock:/var/run/docker.sock:ro\"]");
    assert!(socket[0].contains("gives web control over the container engine, and so over this machine"), "{socket:?}");
}

#[test]
fn secrets_and_configs() {
    let read = settings(
        "secrets: [password, { source: key, target: app.key, uid: \"7\", gid: \"8\", mode: 0400 }]\nconfigs: [settings, \
         { source: settings, target: /etc/app.conf }]",
        "secrets: { password: { environment: PASSWORD }, key: { file: ./key.pem } }\nconfigs: { settings: { content: \
         \"a=b\" } }\n",
    );
    let file = |target: &str, source: &FileSource| MountedFile {
        target: target.to_owned(),
        uid: 0,
        gid: 0,
        mode: 0o444,
        source: source.clone(),
    };
    let content = FileSource::Content("a=b".to_owned());
    let key = file("/run/secrets/app.key", &FileSource::File("/shop/key.pem".into()));
    let expected = [
        file("/run/secrets/password", &FileSource::Content("hunter2".to_owned())),
        MountedFile { uid: 7, gid: 8, mode: 0o400, ..key },
        file("/settings", &content),
        file("/etc/app.conf", &content),
    ];
    assert_eq!(read.files, expected);
    assert!(!format!("{read:?}").contains("hunter2"), "a content is never shown");
}

#[test]
fn a_variable_that_is_not_set_is_no_mistake_of_the_file_and_a_store_is() {
    let read = settings("secrets: [token]", "secrets: { token: { environment: TOKEN } }\n");
    assert_eq!(read.files[0].source, FileSource::Unset("TOKEN".to_owned()));
    let external = refused("secrets: [token]", "secrets: { token: { external: true } }\n");
    assert!(external.contains("the Compose key external") && external.contains("`environment`"), "{external}");
}

#[test]
fn networks() {
    let read = services(
        "networks:\n  front: { aliases: [shop], priority: 10 }\n  back: { ipv4_address: 10.7.0.9 }\n  theirs:\nlinks: \
         [\"back:database\"]\ndns: 10.0.0.1\nextra_hosts: { \"host.docker.internal\": host-gateway }",
        "networks:\n  front:\n  back: { internal: true, ipam: { config: [{ subnet: 10.7.0.0/24 }] } }\n  theirs: { \
         external: true }\n",
    );
    let networking = &read["web"].container.networking;
    let attachments = networking.mode.attachments();
    let keys: Vec<&str> = attachments.iter().map(|attachment| attachment.network.key.as_str()).collect();
    assert_eq!(keys, ["front", "back", "theirs"], "the greatest priority first");
    assert_eq!(attachments[0].aliases, ["shop"]);
    assert_eq!(attachments[1].ipv4_address.as_deref(), Some("10.7.0.9"));
    assert!(attachments[1].network.internal && attachments[2].network.external);
    assert_eq!(attachments[1].network.addresses.subnets[0].subnet.as_deref(), Some("10.7.0.0/24"));
    assert_eq!(
        (networking.dns.servers.len(), &networking.extra_hosts[..]),
        (1, &["host.docker.internal:host-gateway".to_owned()][..])
    );
    let linked = Attachment { aliases: vec!["database".to_owned()], ..Attachment::default() };
    assert_eq!(read["back"].container.networking.mode, NetworkMode::Joined(vec![linked]));
}

#[test]
fn the_default_network_is_the_environments_own_unless_the_file_describes_it() {
    let network = |section: &str| settings("init: true", section).networking.mode.attachments()[0].network.clone();
    assert_eq!(network(""), Network::default());
    assert_eq!(network("networks: { default: { driver: bridge } }\n"), Network::default());
    let internal = network("networks: { default: { internal: true } }\n");
    assert_eq!((internal.key.as_str(), internal.internal), ("default", true));
}

#[test]
fn network_modes() {
    assert_eq!(settings("network_mode: none", "").networking.mode, NetworkMode::None);
    let shared = web("network_mode: service:back\nexpose: [80]", "");
    assert_eq!(shared.container.networking.mode, NetworkMode::Service("back".to_owned()));
    assert!(shared.expose.is_empty() && shared.depends_on.contains_key("back"));
    let host = refused("network_mode: host", "");
    assert!(host.contains("listen beyond loopback") && host.contains("host-gateway"), "{host}");
    let ports = refused("network_mode: service:back\nports: [80]", "");
    assert!(ports.contains("no `ports` of its own; move it to back"), "{ports}");
    let driver = refused("networks: [front]", "networks: { front: { driver: overlay } }\n");
    assert!(driver.contains("the network driver overlay"), "{driver}");
}

#[test]
fn ports_of_a_container_on_internal_networks_are_noticed() {
    let read = web("networks: [front]\nports: [80]", "networks: { front: { internal: true } }\n");
    assert!(read.notices.iter().any(|notice| notice.text.contains("publishes no port")), "{:?}", read.notices);
}

#[test]
fn resources() {
    let read = settings(
        "deploy: { resources: { limits: { cpus: \"0.5\", memory: 64M, pids: 9 }, reservations: { memory: 32M, devices: \
         [{ capabilities: [gpu], count: all }] } } }\nshm_size: 1m\nulimits: { nofile: { soft: 10, hard: 20 }, nproc: 5 \
         }\ncpu_shares: 7\ncpuset: 0-1\nmemswap_limit: -1\noom_score_adj: -500\ndevices: [\"/dev/null:/dev/zero:r\"]",
        "",
    )
    .resources;
    assert_eq!((read.cpu.nano, read.memory, read.pids), (Some(500_000_000), Some(64 << 20), Some(9)));
    assert_eq!((read.memory_reservation, read.shared_memory), (Some(32 << 20), Some(1 << 20)));
    assert_eq!((read.cpu.shares, read.cpu.set.as_deref(), read.memory_swap), (Some(7), Some("0-1"), Some(-1)));
    assert_eq!(read.out_of_memory.score_adjustment, Some(-500));
    let limits: Vec<_> = read.ulimits.iter().map(|limit| (limit.name.as_str(), limit.soft, limit.hard)).collect();
    assert_eq!(limits, [("nofile", 10, 20), ("nproc", 5, 5)]);
    assert_eq!((read.devices[0].target.as_str(), read.devices[0].permissions.as_str()), ("/dev/zero", "r"));
    assert_eq!(
        (read.device_requests[0].count, &read.device_requests[0].capabilities[..]),
        (Some(-1), &["gpu".to_owned()][..])
    );
    let noted =
        notices("deploy: { placement: { constraints: [a] }, update_config: { order: stop-first } }", Concerns::All);
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert!(noted[0].starts_with("compose.yaml:5: `placement` has no effect"), "{noted:?}");
}

#[test]
fn rights() {
    let read = settings(
        "privileged: true\ngroup_add: [\"7\"]\nsysctls: { net.core.somaxconn: 1024 }\nipc: service:back\npid: host\nuserns_mode: \
         host",
        "",
    )
    .security;
    assert!(read.privileged && read.groups == ["7"] && read.sysctls["net.core.somaxconn"] == "1024");
    assert_eq!(read.namespaces.ipc, Some(Namespace::Service("back".to_owned())));
    assert_eq!(read.namespaces.pid, Some(Namespace::Named("host".to_owned())));
    let noticed = notices("privileged: true\npid: host", Concerns::Containers);
    assert!(noticed[0].contains("every right on this machine") && noticed[1].contains("the processes of this machine"));
    let foreign = refused("pid: \"container:other\"", "");
    assert!(foreign.contains("another project's container"), "{foreign}");
}

#[test]
fn names_and_execution() {
    let read = settings(
        "container_name: shop-web\nhostname: web\ndomainname: example.com\nworking_dir: /app\ntty: true\nstdin_open: \
         true\nstop_signal: SIGINT\nplatform: linux/amd64\nannotations: { a: b }\nlogging: { driver: local, options: { \
         max-size: 1m } }",
        "",
    );
    let (identity, execution) = (read.identity, read.execution);
    assert_eq!((identity.container_name.as_deref(), identity.hostname.as_deref()), (Some("shop-web"), Some("web")));
    assert_eq!((execution.working_dir.as_deref(), execution.stop_signal.as_deref()), (Some("/app"), Some("SIGINT")));
    assert!(execution.tty && execution.stdin_open);
    assert_eq!(execution.logging.expect("given").driver, "local");
    let log = refused("logging: { driver: syslog }", "");
    assert!(log.contains("cannot read the logs of the driver syslog"), "{log}");
    let several = sources("container_name: web-1\ndeploy: { replicas: 2 }", "").assemble().expect_err("it is refused");
    assert!(several.to_string().contains("cannot share one name"), "{several}");
}

#[test]
fn ports_of_udp_and_ranges() {
    let service =
        web("ports: [\"53:53/udp\", \"53:53\", \"9000-9002:80\", \"[::1]::81\"]\nexpose: [\"7000-7002\", 9/udp]", "");
    let ports: Vec<_> = service.ports.iter().map(|port| (port.protocol, port.published, port.container)).collect();
    let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
    assert_eq!(ports, [(udp, Some(53), 53), (tcp, Some(53), 53), (tcp, Some(9000), 80), (tcp, None, 81)]);
    assert_eq!(service.expose, [7000, 7001, 7002]);
}

#[test]
fn what_a_process_goes_without_is_noticed() {
    let noticed = notices("volumes: [\"./a:/a\"]\nmem_limit: 1m\nworking_dir: /app\ncpus: 1", Concerns::Processes);
    assert_eq!(noticed[0], "compose.yaml:3: web runs as a process and goes without `volumes`, `cpus`");
    assert!(noticed[1].contains("runs in the project's folder, not in /app"), "{noticed:?}");
    assert_eq!(notices("mem_limit: 1m\nworking_dir: /shop/web", Concerns::Processes), [""; 0]);
}

#[test]
fn what_devenv_does_not_do_is_refused_with_its_replacement() {
    for (line, help) in [
        ("post_start: [{ command: [a] }]", "entrypoint"),
        ("provider: { type: awesomecloud }", "environment"),
        ("use_api_socket: true", "volumes"),
        ("isolation: process", "Windows"),
        ("external_links: [a]", "networks"),
    ] {
        let refused = refused(line, "");
        assert!(refused.contains("devenv does not support the Compose key") && refused.contains(help), "{refused}");
    }
}
