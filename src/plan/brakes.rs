//! Brakes: asked over the whole plan before the first write.

use crate::program::mapping::{Brake, Brakes};

/// What a plan would do in one register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that would be made.
    pub create: u64,
    /// Records that would be changed.
    pub update: u64,
    /// Records that would be removed.
    pub delete: u64,
    /// Records that are linked.
    pub linked: u64,
}

/// What the brakes say to a plan: every one that holds, in words; empty when the plan may go.
pub fn check(brakes: &Brakes, registers: &[(String, Counts)]) -> Vec<String> {
    let total = registers.iter().fold(Counts::default(), |mut sum, (_, counts)| {
        sum.create += counts.create;
        sum.update += counts.update;
        sum.delete += counts.delete;
        sum.linked += counts.linked;
        sum
    });
    let mut held = Vec::new();
    for (what, word, brake, count) in [
        ("create", "make", brakes.create, total.create),
        ("update", "change", brakes.update, total.update),
        ("delete", "remove", brakes.delete, total.delete),
    ] {
        let limit = limit(brake, total.linked);
        if count > limit {
            let parts: Vec<String> = registers
                .iter()
                .filter_map(|(name, counts)| {
                    let count = match what {
                        "create" => counts.create,
                        "update" => counts.update,
                        _ => counts.delete,
                    };
                    (count > 0).then(|| format!("{name} {count}"))
                })
                .collect();
            held.push(format!(
                "this run would {word} {count} records ({}), the brake `{what}: {brake}` allows {limit}",
                parts.join(", ")
            ));
        }
    }
    held
}

fn limit(brake: Brake, linked: u64) -> u64 {
    match brake {
        Brake::Count(count) => count,
        // a share of little is still something: a handful may always go
        Brake::Percent(percent) => (linked * percent / 100).max(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brakes() -> Brakes {
        Brakes { create: Brake::Count(5), update: Brake::Percent(25), delete: Brake::Count(0) }
    }

    #[test]
    fn a_small_plan_goes() {
        let counts = Counts { create: 5, update: 10, delete: 0, linked: 8 };
        assert_eq!(check(&brakes(), &[("items".into(), counts)]), Vec::<String>::new());
    }

    #[test]
    fn every_brake_that_holds_is_named_with_its_registers() {
        let items = Counts { create: 6, update: 30, delete: 1, linked: 100 };
        let customers = Counts { create: 0, update: 3, delete: 0, linked: 20 };
        assert_eq!(
            check(&brakes(), &[("items".into(), items), ("customers".into(), customers)]),
            vec![
                "this run would make 6 records (items 6), the brake `create: 5` allows 5",
                "this run would change 33 records (items 30, customers 3), the brake `update: 25%` allows 30",
                "this run would remove 1 records (items 1), the brake `delete: 0` allows 0",
            ]
        );
    }
}
