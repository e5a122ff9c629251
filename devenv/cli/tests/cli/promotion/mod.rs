//! Obligations of promotions, each on an emulated AWS with a real registry, real containers, a load balancer and S3, with
//! the real Terraform.

mod attacks;
mod kills;
mod load;
mod messages;
mod project;
mod refusals;
mod releases;
mod required;
mod rights;
mod server;
