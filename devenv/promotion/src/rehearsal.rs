//! A rehearsal: an account of an emulated AWS that has what a release stands on.

use devenv_engine::Cancel;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::resources::Resources;
use serde_json::{Value, json};

use crate::cloud::{AccountNeeds, CloudAddress, EmulatedLogin, ServiceNeeds};
use crate::context::PromotionContext;
use crate::emulated_endpoint::{HOST, PORT, REGION};
use crate::error::Error;
use crate::terraform_folder::TerraformFolder;
use crate::tools::PromotionTools;

/// Makes what a release stands on, with the same Terraform state and outputs as in AWS.
pub(crate) async fn lay_foundation(
    context: &PromotionContext<'_>,
    terraform: &TerraformFolder<'_>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let Some(account) = &context.cloud.emulated else {
        return Ok(());
    };
    let project = context.project;
    let system = &project.manifest.name;
    let needs = AccountNeeds {
        bucket: context.ledger.bucket.clone(),
        cluster: format!("{system}-rehearsal"),
        services: project
            .manifest
            .services
            .values()
            .map(|service| {
                let name = &service.name;
                let needs = ServiceNeeds {
                    repository: format!("{system}/{name}"),
                    log_group: format!("/{system}/{name}"),
                    load_balancer: format!("{system}-{name}"),
                    port: service.ports.first().map_or(80, |port| port.container),
                };
                (name.clone(), needs)
            })
            .collect(),
    };
    let made = account.prepare(&needs).await.map_err(Error::from)?;
    let aws = context.emulated()?;
    aws.open(&needs.services).await?;
    let resources = Resources::as_caller(&project.manifest, &aws.endpoint, REGION, &aws.login.access_key);
    resources.ensure_all().await?;
    for (resource, _) in project.manifest.seeded() {
        resources.seed(&resource).await?;
    }
    let outside = aws.endpoint.to_string();
    let host = outside.trim_start_matches("http://");
    let services: serde_json::Map<String, Value> = needs
        .services
        .iter()
        .map(|(name, service)| {
            let balanced = format!("_alb/{}", service.load_balancer);
            let value = json!({
                "repository": format!("{host}/{}", service.repository),
                "log_group": service.log_group,
                "target_group": made.target_groups.get(name),
                "url": format!("http://{HOST}:{PORT}/{balanced}/"),
                "outside_url": format!("{outside}/{balanced}"),
            });
            (name.clone(), value)
        })
        .collect();
    let inputs = json!({
        "name": needs.cluster, "region": REGION, "endpoint": format!("http://{HOST}:{PORT}"),
        "cluster": { "name": needs.cluster, "arn": made.cluster_arn }, "services": services,
    });
    // Another table file is another foundation, though Terraform reads the file itself.
    let tables: Vec<&Value> = project.manifest.tables.iter().map(|table| &table.definition).collect();
    let made_from = json!([inputs, tables]).to_string();
    terraform.apply_foundation(&json!({ "made": inputs }).to_string(), &made_from, cancel).await
}

/// Carries out the order in `DEVENV_SERVICE`, for the Terraform of a rehearsal, in the account that it is led to.
pub async fn rehearse_service(tools: &PromotionTools) -> Result<(), Error> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let wrong = |cause: String| Error::Rehearsal { cause, log: Vec::new() };
    let order =
        serde_json::from_str(&text("DEVENV_SERVICE")).map_err(|error| wrong(format!("DEVENV_SERVICE: {error}")))?;
    let endpoint = Endpoint::parse(&text("AWS_ENDPOINT_URL"))?;
    // As whoever runs that Terraform: its rights are what is tried where the emulator enforces them.
    let login = EmulatedLogin { access_key: text("AWS_ACCESS_KEY_ID"), secret_key: text("AWS_SECRET_ACCESS_KEY") };
    let address = CloudAddress::Emulated { endpoint, region: REGION.to_owned(), login };
    let cloud = tools.clouds.connect(&address).await;
    if let Some(account) = cloud.emulated {
        account.release(&order).await.map_err(Error::from)?;
    }
    Ok(())
}
