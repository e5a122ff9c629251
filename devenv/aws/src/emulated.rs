//! The account of an emulated AWS. It replaces the foundation's Terraform and the provider's plugin.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Compatibility, ContainerDefinition, DeploymentCircuitBreaker,
    DeploymentConfiguration, HealthCheck, KeyValuePair, LaunchType, LoadBalancer, LogConfiguration, LogDriver,
    NetworkConfiguration, NetworkMode, PortMapping, Service, TransportProtocol,
};
use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum, TargetTypeEnum};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use devenv_promotion::{
    AccountMade, AccountNeeds, CloudError, CloudErrorKind, EmulatedAccount, ServiceNeeds, ServiceOrder,
};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use serde::Deserialize;

use crate::error::failed;

/// A tag with the order behind a task definition, so that the same order registers no second one.
const ORDER: &str = "devenv.order";
/// Required sizes, which an emulator ignores.
const CPU: &str = "256";
const MEMORY: &str = "512";
/// Placeholders: the only network is the engine's.
const SUBNET: &str = "subnet-rehearsal";
const VPC: &str = "vpc-rehearsal";

#[derive(Debug)]
pub(crate) struct Emulated {
    region: String,
    ecr: aws_sdk_ecr::Client,
    ecs: aws_sdk_ecs::Client,
    balancers: aws_sdk_elasticloadbalancingv2::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    s3: aws_sdk_s3::Client,
}

impl Emulated {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self {
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            ecr: aws_sdk_ecr::Client::new(config),
            ecs: aws_sdk_ecs::Client::new(config),
            balancers: aws_sdk_elasticloadbalancingv2::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
        }
    }

    async fn make(&self, needs: &AccountNeeds) -> Result<AccountMade, CloudError> {
        self.bucket(&needs.bucket).await?;
        let cluster = self.ecs.create_cluster().cluster_name(&needs.cluster).send().await;
        let cluster = cluster.map_err(failed(format!("make the cluster {}", needs.cluster)))?.cluster;
        let services = needs.services.iter().map(async |(name, service)| {
            self.repository(&service.repository).await?;
            self.log_group(&service.log_group).await?;
            Ok((name.clone(), self.balancer(service).await?))
        });
        Ok(AccountMade {
            cluster_arn: cluster.and_then(|cluster| cluster.cluster_arn).unwrap_or_default(),
            target_groups: try_join_all(services).await?.into_iter().collect(),
        })
    }

    async fn bucket(&self, name: &str) -> Result<(), CloudError> {
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
            .build();
        let made = self.s3.create_bucket().bucket(name).create_bucket_configuration(place).send().await;
        made.map(drop).map_err(failed(format!("make the bucket {name}"))).or_else(if_there)
    }

    async fn repository(&self, name: &str) -> Result<(), CloudError> {
        let immutable = aws_sdk_ecr::types::ImageTagMutability::Immutable;
        let made = self.ecr.create_repository().repository_name(name).image_tag_mutability(immutable).send().await;
        made.map(drop).map_err(failed(format!("make the repository {name}"))).or_else(if_there)
    }

    async fn log_group(&self, name: &str) -> Result<(), CloudError> {
        let made = self.logs.create_log_group().log_group_name(name).send().await;
        made.map(drop).map_err(failed(format!("make the log group {name}"))).or_else(if_there)
    }

    /// Creates a load balancer with one listener and one target group. Returns the group.
    async fn balancer(&self, needs: &ServiceNeeds) -> Result<String, CloudError> {
        let (name, action) = (&needs.load_balancer, format!("make the load balancer {}", needs.load_balancer));
        let there = self.balancers.describe_target_groups().names(name).send().await;
        let there = crate::error::unless_absent(there.map_err(failed(action.clone())))?;
        let there = there.and_then(|answer| answer.target_groups).unwrap_or_default().into_iter().next();
        if let Some(arn) = there.and_then(|group| group.target_group_arn) {
            return Ok(arn);
        }
        let port = i32::from(needs.port);
        let group = self.balancers.create_target_group().name(name).protocol(ProtocolEnum::Http).port(port);
        let group = group.vpc_id(VPC).target_type(TargetTypeEnum::Ip).health_check_path("/readyz").send().await;
        let group = group.map_err(failed(action.clone()))?.target_groups.unwrap_or_default();
        let group = group.into_iter().next().and_then(|group| group.target_group_arn).unwrap_or_default();
        let balancer = self.balancers.create_load_balancer().name(name).subnets(SUBNET).send().await;
        let balancer = balancer.map_err(failed(action.clone()))?.load_balancers.unwrap_or_default();
        let balancer = balancer.into_iter().next().and_then(|balancer| balancer.load_balancer_arn);
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&group).build();
        let listener = self.balancers.create_listener().set_load_balancer_arn(balancer);
        let listener = listener.protocol(ProtocolEnum::Http).port(80).default_actions(forward).send().await;
        listener.map(|_| group).map_err(failed(action))
    }

    async fn carry_out(&self, order: &ServiceOrder) -> Result<(), CloudError> {
        let definition = self.definition(order).await?;
        let action = format!("release {}", order.service);
        let there = self.ecs.describe_services().cluster(&order.cluster).services(&order.service).send().await;
        let there = there.map_err(failed(action.clone()))?.services.unwrap_or_default().into_iter().next();
        let tasks = tasks(order);
        let is_told = |service: &Service| {
            service.task_definition.as_deref() == Some(definition.as_str()) && service.desired_count == tasks
        };
        match there.filter(|service| service.status.as_deref() == Some("ACTIVE")) {
            Some(service) if is_told(&service) => Ok(()),
            Some(_) => {
                let request = self.ecs.update_service().cluster(&order.cluster).service(&order.service);
                request.task_definition(definition).desired_count(tasks).send().await.map(drop).map_err(failed(action))
            }
            None => self.create(order, definition, action).await,
        }
    }

    async fn create(&self, order: &ServiceOrder, definition: String, action: String) -> Result<(), CloudError> {
        let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
        let deployment = DeploymentConfiguration::builder()
            .deployment_circuit_breaker(breaker)
            .minimum_healthy_percent(100)
            .maximum_percent(200)
            .build();
        let balancer = LoadBalancer::builder()
            .target_group_arn(&order.target_group)
            .container_name(&order.service)
            .container_port(i32::from(order.port))
            .build();
        let subnets = AwsVpcConfiguration::builder().subnets(SUBNET).assign_public_ip(AssignPublicIp::Disabled);
        let subnets = subnets.build().map_err(|error| incomplete(&action, &error))?;
        let request = self.ecs.create_service().cluster(&order.cluster).service_name(&order.service);
        request
            .task_definition(definition)
            .desired_count(tasks(order))
            .launch_type(LaunchType::Fargate)
            .deployment_configuration(deployment)
            .load_balancers(balancer)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(subnets).build())
            .send()
            .await
            .map(drop)
            .map_err(failed(action))
    }

    /// The newest task definition of the family if its order is the same; else a new one.
    async fn definition(&self, order: &ServiceOrder) -> Result<String, CloudError> {
        let action = format!("register the task definition {}", order.family);
        let fingerprint = devenv_model::names::short_digest(order.container.to_string(), 16);
        let newest = self.ecs.describe_task_definition().task_definition(&order.family).send().await;
        let newest = newest.ok().and_then(|answer| answer.task_definition);
        if let Some(newest) = newest {
            let mut containers = newest.container_definitions.unwrap_or_default().into_iter();
            let made_from = containers.next().and_then(|container| container.docker_labels?.remove(ORDER));
            if made_from.as_deref() == Some(fingerprint.as_str()) {
                return Ok(newest.task_definition_arn.unwrap_or_default());
            }
        }
        let container = container(order, &fingerprint).map_err(|error| incomplete(&action, &error))?;
        let request = self.ecs.register_task_definition().family(&order.family).container_definitions(container);
        let request = request.requires_compatibilities(Compatibility::Fargate).network_mode(NetworkMode::Awsvpc);
        let answer = request.cpu(CPU).memory(MEMORY).send().await.map_err(failed(action))?;
        Ok(answer.task_definition.and_then(|made| made.task_definition_arn).unwrap_or_default())
    }
}

impl EmulatedAccount for Emulated {
    fn prepare<'a>(&'a self, needs: &'a AccountNeeds) -> BoxFuture<'a, Result<AccountMade, CloudError>> {
        self.make(needs).boxed()
    }

    fn release<'a>(&'a self, order: &'a ServiceOrder) -> BoxFuture<'a, Result<(), CloudError>> {
        self.carry_out(order).boxed()
    }
}

fn tasks(order: &ServiceOrder) -> i32 {
    i32::try_from(order.tasks).unwrap_or(1)
}

/// An existing resource counts as created.
fn if_there(error: CloudError) -> Result<(), CloudError> {
    let there = ["AlreadyExists", "AlreadyOwnedByYou"].iter().any(|word| error.cause.contains(word));
    if there || error.kind == CloudErrorKind::Conflict { Ok(()) } else { Err(error) }
}

fn incomplete(action: &str, error: &dyn std::fmt::Display) -> CloudError {
    CloudError { action: action.to_owned(), cause: error.to_string(), kind: CloudErrorKind::Other }
}

/// A container definition in the JSON that Terraform sends to AWS, as far as the modules write it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    name: String,
    image: String,
    entry_point: Option<Vec<String>>,
    command: Option<Vec<String>>,
    working_directory: Option<String>,
    user: Option<String>,
    #[serde(default)]
    readonly_root_filesystem: bool,
    #[serde(default)]
    port_mappings: Vec<Port>,
    #[serde(default)]
    environment: Vec<Variable>,
    stop_timeout: Option<i32>,
    health_check: Option<Check>,
    log_configuration: Option<Log>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    container_port: i32,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    command: Vec<String>,
    interval: i32,
    timeout: i32,
    retries: i32,
    start_period: i32,
}

#[derive(Debug, Deserialize)]
struct Log {
    options: BTreeMap<String, String>,
}

fn container(order: &ServiceOrder, fingerprint: &str) -> Result<ContainerDefinition, Box<dyn std::error::Error>> {
    let given: Definition = serde_json::from_value(order.container.clone())?;
    let mut made = ContainerDefinition::builder()
        .name(given.name)
        .image(given.image)
        .essential(true)
        .set_entry_point(given.entry_point)
        .set_command(given.command)
        .set_working_directory(given.working_directory)
        .set_user(given.user)
        .readonly_root_filesystem(given.readonly_root_filesystem)
        .set_stop_timeout(given.stop_timeout)
        .docker_labels(ORDER, fingerprint);
    for port in given.port_mappings {
        let port = PortMapping::builder().container_port(port.container_port).protocol(TransportProtocol::Tcp);
        made = made.port_mappings(port.build());
    }
    for Variable { name, value } in given.environment {
        made = made.environment(KeyValuePair::builder().name(name).value(value).build());
    }
    if let Some(check) = given.health_check {
        let check = HealthCheck::builder()
            .set_command(Some(check.command))
            .interval(check.interval)
            .timeout(check.timeout)
            .retries(check.retries)
            .start_period(check.start_period);
        made = made.health_check(check.build()?);
    }
    if let Some(log) = given.log_configuration {
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .set_options(Some(log.options.into_iter().collect()));
        made = made.log_configuration(log.build()?);
    }
    Ok(made.build())
}
