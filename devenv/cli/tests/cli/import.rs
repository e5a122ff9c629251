//! `devenv resources import`, from a running environment's emulator.

use crate::folder::{Folder, TABLE};
use crate::project::Project;

#[test]
fn tables_of_an_emulator_become_files_and_no_file_is_replaced() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let url = project.unit("emulator")["url"].as_str().expect("it has an address").to_owned();
    let elsewhere = Folder::new();
    let shown = elsewhere.done(&["resources", "import", "--from", &url, "--dry-run"]);
    assert!(shown.out.contains("\"TableName\": \"items\""), "{}", shown.out);
    assert!(!elsewhere.path().join("tables").exists());
    let ran = elsewhere.done(&["resources", "import", "--from", &url]);
    assert!(ran.out.contains("tables/items.json") && ran.out.contains("tables = \"tables\""), "{}", ran.out);
    let read = |path: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
    };
    let expected: serde_json::Value = serde_json::from_str(TABLE).expect("JSON");
    assert_eq!(read(&elsewhere.path().join("tables/items.json")), expected);
    // What devenv writes, devenv reads: the running table is as its new file has it.
    std::fs::copy(elsewhere.path().join("tables/items.json"), project.path().join("tables/items.json"))
        .expect("writable");
    assert!(project.done(&["up", "-d"]).err.contains("unchanged"));
    project.write("tables/items.json", &TABLE.replace("\n  \"Bill", " \"Bill"));
    let kept = project.json(&["resources", "import", "--from", &url]);
    assert_eq!((&kept["kept"][0], kept["written"].as_array().map(Vec::len)), (&"items".into(), Some(0)), "{kept}");
}

#[test]
fn nothing_but_this_machine_is_asked() {
    let folder = Folder::new();
    for url in ["https://dynamodb.eu-west-1.amazonaws.com", "http://10.0.0.1:8000", "dynamodb"] {
        let ran = folder.run(&["resources", "import", "--from", url]);
        assert_eq!(ran.code, 3, "{url}");
        assert!(ran.err.contains("is not an endpoint on this machine"), "{}", ran.err);
    }
    let unreachable = folder.run(&["resources", "import", "--from", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.code, 1);
    assert!(unreachable.err.contains("no answer"), "{}", unreachable.err);
}
