//! The foundation of a rehearsal: its state has what devenv made, and the table files, as outputs.

use std::path::Path;

use serde_json::{Value, json};

use crate::terraform::{FakeTerraform, TerraformAnswer, read, values};

impl FakeTerraform {
    pub(crate) async fn apply_foundation(
        &self,
        at: &Path,
        arguments: &[String],
    ) -> Result<TerraformAnswer, TerraformAnswer> {
        let inputs = values(arguments, "-var-file=").next().expect("the foundation's inputs");
        let mut inputs = read(Path::new(inputs));
        let (made, tables) = (inputs["made"].take(), inputs["tables"].take());
        let folder = at.parent().expect("a root is in the environment's folder");
        let bucket = read(&folder.join("account.tfvars.json"))["bucket"].as_str().expect("a bucket").to_owned();
        let environment = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let state =
            json!({ "version": 4, "outputs": outputs(&made, &tables, &at.join("../../../../tables")) }).to_string();
        let key = format!("{environment}/foundation.tfstate");
        self.step("apply foundation", || self.objects.overwrite(&bucket, &key, state.clone())).await?;
        Ok(TerraformAnswer::default())
    }
}

/// `given` are the tables among the inputs, if they have any; else they are in the project's folder.
fn outputs(made: &Value, given: &Value, folder: &Path) -> Value {
    let output = |value: Value| json!({ "value": value, "type": "any" });
    let services = made["services"].as_object().expect("services by name");
    let repositories: serde_json::Map<_, _> =
        services.iter().map(|(name, service)| (name.clone(), service["repository"].clone())).collect();
    let urls: serde_json::Map<_, _> =
        services.iter().map(|(name, service)| (name.clone(), service["outside_url"].clone())).collect();
    let in_folder = || {
        let files = std::fs::read_dir(folder).expect("a folder of table files");
        let tables = files.map(|file| read(&file.expect("readable").path()));
        tables.map(|table| (table["TableName"].as_str().expect("a name").to_owned(), table)).collect()
    };
    let tables = given.as_object().cloned().unwrap_or_else(in_folder);
    json!({
        "release": output(made.clone()),
        "repository_urls": output(repositories.into()),
        "url": output(services.values().next().expect("a service")["outside_url"].clone()),
        "urls": output(urls.into()),
        "tables": output(tables.into()),
    })
}
