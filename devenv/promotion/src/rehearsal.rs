//! A rehearsal: an emulated AWS account with the foundation of a release.

use devenv_model::addresses::Addresses;
use devenv_model::messaging::{queue_url, topic_arn};
use devenv_rehearsal::account::{ACCOUNT, REGION, balanced, endpoint, load_balancer, log_group};
use devenv_rehearsal::roots;
use devenv_rehearsal::services::{port, rehearsed};
use devenv_resources::endpoint::Endpoint;
use devenv_resources::resources::Resources;
use devenv_runtime::Cancel;
use serde_json::{Map, Value, json};

use crate::carried;
use crate::cloud::{AccountNeeds, CloudAddress, EmulatedLogin, ServiceNeeds, ServiceOrder};
use crate::context::PromotionContext;
use crate::error::Error;
use crate::foundation::Foundation;
use crate::terraform_folder::TerraformFolder;
use crate::tools::PromotionTools;
use crate::tree::Tree;

/// Creates the foundation, with the same Terraform state and outputs as in AWS.
pub(crate) async fn lay_foundation(
    context: &PromotionContext<'_>,
    terraform: &TerraformFolder<'_>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let (Some(account), Some(aws)) = (&context.cloud.emulated, &context.emulated) else {
        return Ok(());
    };
    let project = context.project;
    let system = &project.manifest.name;
    let needs = AccountNeeds {
        bucket: context.ledger.bucket.clone(),
        cluster: format!("{system}-rehearsal"),
        services: rehearsed(&project.manifest)
            .map(|service| {
                let name = &service.name;
                let needs = ServiceNeeds {
                    repository: format!("{system}/{name}"),
                    log_group: log_group(system, name),
                    load_balancer: load_balancer(system, name),
                    port: port(service),
                };
                (name.clone(), needs)
            })
            .collect(),
    };
    let made = account.prepare(&needs).await.map_err(Error::from)?;
    aws.open(&needs.services).await?;
    let addresses = Addresses::single(aws.endpoint.clone());
    let resources = Resources::as_caller(&project.manifest, &addresses, REGION, &aws.login.access_key);
    resources.ensure_all().await?;
    for (resource, _) in project.manifest.seeded() {
        resources.seed(&resource).await?;
    }
    let outside = aws.endpoint.to_string();
    let host = outside.trim_start_matches("http://");
    let mut services: Map<String, Value> = needs
        .services
        .iter()
        .map(|(name, service)| {
            let balanced = balanced(&service.load_balancer);
            let value = json!({
                "repository": format!("{host}/{}", service.repository),
                "log_group": service.log_group,
                "target_group": made.target_groups.get(name),
                "url": format!("{}/{balanced}/", endpoint()),
                "outside_url": format!("{outside}/{balanced}"),
            });
            (name.clone(), value)
        })
        .collect();
    for (name, made) in earlier_services(context).await? {
        services.entry(name).or_insert(made);
    }
    let messaging = &project.manifest.messaging;
    let queues = messaging.queues.iter().map(|queue| (queue.name.clone(), json!(queue_url(&endpoint(), &queue.name))));
    let topics = messaging.topics.iter().map(|topic| (topic.name.clone(), json!(topic_arn(REGION, &topic.name))));
    let inputs = json!({
        "name": needs.cluster, "region": REGION, "account": ACCOUNT, "endpoint": endpoint(),
        "cluster": { "name": needs.cluster, "arn": made.cluster_arn }, "services": services,
        "queues": queues.collect::<Map<_, _>>(), "topics": topics.collect::<Map<_, _>>(),
    });
    if carried::is_carried(project, context.target) {
        let tree = carried::beside(project, context.target, Tree::default())?;
        let folder = context.folder.join("carried");
        tree.write(&folder).map_err(|source| devenv_runtime::Error::State { path: folder.clone(), source })?;
        let inputs = roots::foundation_inputs(&project.manifest, &inputs);
        let made_from = roots::foundation_made_from(&inputs);
        return terraform.apply_foundation(&folder, &inputs.to_string(), &made_from, cancel).await;
    }
    // A changed file of a resource must change this text too, although Terraform reads the file itself.
    let tables: Vec<&Value> = project.manifest.tables.iter().map(|table| &table.definition).collect();
    let made_from = json!([inputs, tables, roots::messaging_files(messaging)]).to_string();
    let inputs = json!({ "made": inputs }).to_string();
    terraform.apply_foundation(&project.instance.root, &inputs, &made_from, cancel).await
}

/// What earlier releases of this account were made of: a rollback needs the services that the project no longer has.
async fn earlier_services(context: &PromotionContext<'_>) -> Result<Map<String, Value>, Error> {
    match Foundation::read(&context.ledger).await {
        Ok(foundation) => Ok(foundation.services),
        // The first one is laid now, in place of none or of an unreadable one.
        Err(Error::NoFoundation { .. } | Error::FoundationIncomplete { .. }) => Ok(Map::new()),
        Err(error) => Err(error),
    }
}

/// What the Terraform of a rehearsal passes to `devenv`, which the program reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedService {
    /// A [`ServiceOrder`], as JSON.
    pub order: String,
    /// Where the emulated AWS answers.
    pub endpoint: String,
    /// The login of that Terraform: an emulator that enforces rights then tests them.
    pub login: EmulatedLogin,
}

/// Carries out the order in the account of a rehearsal.
pub async fn rehearse_service(tools: &PromotionTools, service: RehearsedService) -> Result<(), Error> {
    let order: ServiceOrder =
        serde_json::from_str(&service.order).map_err(|error| Error::ServiceOrder { cause: error.to_string() })?;
    let endpoint = Endpoint::parse(&service.endpoint)?;
    let address = CloudAddress::Emulated { endpoint, region: REGION.to_owned(), login: service.login };
    let cloud = tools.clouds.connect(&address).await;
    if let Some(account) = cloud.emulated {
        account.release(&order).await.map_err(Error::from)?;
    }
    Ok(())
}
