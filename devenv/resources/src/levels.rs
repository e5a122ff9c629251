//! Groups of resources that can be made at the same time.

use devenv_model::resource::ResourceId;

/// Groups the resources so that each needs only some of earlier groups. In a cycle, the rest is one group.
pub(crate) fn levels(
    resources: Vec<ResourceId>,
    needs: impl Fn(&ResourceId) -> Vec<ResourceId>,
) -> Vec<Vec<ResourceId>> {
    let mut levels = Vec::new();
    let mut open = resources;
    while !open.is_empty() {
        let waits = |resource: &ResourceId| needs(resource).iter().any(|need| open.contains(need));
        let (waiting, level): (Vec<_>, Vec<_>) = open.iter().cloned().partition(waits);
        if level.is_empty() {
            levels.push(waiting);
            break;
        }
        levels.push(level);
        open = waiting;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_needs_only_earlier_ones() {
        let id = ResourceId::table;
        let all = ["c", "a", "b"].map(id).to_vec();
        let needs = |resource: &ResourceId| match resource.name.as_str() {
            "c" => vec![id("b")],
            "b" => vec![id("a"), id("elsewhere")],
            _ => Vec::new(),
        };
        assert_eq!(levels(all.clone(), needs), [[id("a")], [id("b")], [id("c")]].map(Vec::from));
        assert_eq!(levels(all.clone(), |_| vec![id("a")]).len(), 1, "a cycle ends");
    }
}
