//! Which delivery a target has. No other module names one.

use devenv_model::manifest::PromotePlace;
use devenv_releases::record::Kind;
use devenv_runtime::Cancel;

use crate::context::PromotionContext;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::terraform_ecs::TerraformEcs;

pub(crate) async fn prepare<'a>(
    context: &'a PromotionContext<'a>,
    kind: Kind,
    cancel: &'a Cancel,
) -> Result<Box<dyn Delivery + 'a>, Error> {
    match context.target.place {
        PromotePlace::Account { .. } | PromotePlace::Rehearsal { .. } => {
            TerraformEcs::prepare(context, kind, cancel).await
        }
    }
}
