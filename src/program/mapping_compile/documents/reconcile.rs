//! What is put side by side of a document: amounts of either side, which runs neither read nor compare.

use std::sync::Arc;

use crate::diagnostic::{At, codes};
use crate::program::document::{Amounts, Reckoned, Reconcile, Step, Told, Verify};
use crate::program::expr::{Expr, Scope};
use crate::program::mapping::{Endpoint, Member, Register};
use crate::program::mapping_compile::{Compiler, facts};
use crate::program::system::Resource;
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::spec::reconcile as spec;
use crate::value::{Both, Decimal, Path, Side, parse_decimal};

/// The most places that an exact decimal has.
const MAX_PLACES: u32 = 28;

/// What a value has to be.
#[derive(Clone, Copy)]
enum Kind {
    Amount,
    Text,
    Date,
}

/// One side whose amounts are compiled.
struct Looked<'l> {
    side: Side,
    end: Endpoint,
    scope: Scope,
    /// The lists that the rows of the document name on this side.
    lists: Vec<&'l At<String>>,
}

impl Compiler<'_> {
    /// What `reconcile` says, and where it says nothing, what `verify` does.
    pub(super) fn reconcile(
        &mut self,
        name: &At<String>,
        words: &doc::DocumentWords,
        register: &Register,
        types: &Both<Type>,
        steps: &[Step],
        becomes: Option<&Arc<Resource>>,
    ) -> Reconcile {
        let verify = steps.iter().find_map(|step| match step {
            Step::Verify(verify) => Some(verify),
            _ => None,
        });
        let mut out = by_verify(verify);
        let Some(written) = &words.reconcile else { return out };
        if let Some(text) = &written.words.tolerance {
            out.tolerance = self.allowed(text).unwrap_or_default();
        }
        out.ignore_sign |= written.words.sign.is_some();
        if written.sides.is_empty() {
            self.error(
                &codes::BAD_RECONCILE,
                name.span,
                format!("`reconcile` of `{name}` says nothing of either side"),
                Some(format!("write `{}: {{ total: FIELD }}`", self.sides.left.name)),
            );
        }
        // what `verify` compares need not be with VAT: it does not stand beside a total that is
        if written.sides.iter().any(|(_, side)| side.total.is_some()) {
            out.sides = Both::of(|side| Reckoned { total: None, ..out.sides[side].clone() });
        }
        // no run reads what only a report needs
        let before = (self.needs.clone(), self.facts.clone());
        for (key, written) in &written.sides {
            let Some(side) = self.side(key) else { continue };
            let mut end = register.ends[side].clone();
            if end.members.iter().any(|member| member.resource.is_write_only()) {
                self.error(
                    &codes::BAD_RECONCILE,
                    key.span,
                    format!(
                        "{} of {key} is never read: nothing is known of its amounts",
                        end.members[0].resource.name
                    ),
                    Some(format!("leave `{key}` out")),
                );
                continue;
            }
            if let Some(resource) =
                becomes.filter(|_| end.members.iter().any(|one| one.resource.create.is_some()))
            {
                end.members.push(Member { resource: Arc::clone(resource), values: Vec::new() });
            }
            let scope = match side {
                Side::Left => self.scope_with(Some(&types.left), None, Some(side)),
                Side::Right => self.scope_with(None, Some(&types.right), Some(side)),
            };
            let lists = words.rows.0.iter().flat_map(|rows| &rows.sides);
            let lists = lists.filter(|(of, _)| of.value == key.value).map(|(_, list)| list).collect();
            let looked = Looked { side, end, scope, lists };
            let told = self.reckoned(&looked, key, written);
            out.sides[side] = Reckoned {
                total: told.total.or_else(|| out.sides[side].total.take()),
                currency: told.currency.or_else(|| out.sides[side].currency.take()),
                ..told
            };
        }
        let needed = std::mem::replace(&mut self.needs, before.0);
        for side in Side::BOTH {
            for (resource, fields) in &needed[side] {
                self.report.fields[side].entry(resource.clone()).or_default().extend(fields.iter().cloned());
            }
        }
        let read = std::mem::replace(&mut self.facts, before.1);
        self.report.facts.extend(facts(&read));
        out
    }

    fn reckoned(&mut self, looked: &Looked, key: &At<String>, written: &spec::ReconcileSide) -> Reckoned {
        let mut told = |text: &Option<At<String>>, kind| {
            text.as_ref().and_then(|text| self.told(looked, &looked.scope, text, kind)).map(Told::Worked)
        };
        let total = told(&written.total, Kind::Amount);
        let net = told(&written.net, Kind::Amount);
        let currency = told(&written.currency, Kind::Text);
        let date = told(&written.date, Kind::Date);
        let rows = written.rows.as_ref().and_then(|rows| self.row_amounts(looked, key, rows));
        let rates = written.rates.as_ref().and_then(|rates| {
            let (of, scope) = self.listed(looked, &rates.of)?;
            Some(Amounts {
                of,
                net: self.told(looked, &scope, &rates.net, Kind::Amount)?,
                rate: Some(self.told(looked, &scope, &rates.rate, Kind::Amount)?),
                vat: Some(self.told(looked, &scope, &rates.vat, Kind::Amount)?),
                round: None,
            })
        });
        Reckoned { total, net, currency, date, rows, rates }
    }

    fn row_amounts(&mut self, looked: &Looked, key: &At<String>, rows: &spec::RowAmounts) -> Option<Amounts> {
        let list = match (&rows.of, &looked.lists[..]) {
            (Some(of), _) => of,
            (None, [first, others @ ..]) if others.iter().all(|other| other.value == first.value) => first,
            (None, lists) => {
                let why = if lists.is_empty() { "names no list" } else { "names many lists" };
                self.error(
                    &codes::BAD_RECONCILE,
                    rows.net.span,
                    format!("`rows` of the document {why} of {key}: whose amounts are added up is not clear"),
                    Some("add `of: LIST`".to_owned()),
                );
                return None;
            }
        };
        let (of, scope) = self.listed(looked, list)?;
        let round = match &rows.round {
            Some(places) if places.value > MAX_PLACES => {
                self.error(
                    &codes::WRONG_KIND,
                    places.span,
                    format!("an exact decimal has at most {MAX_PLACES} places"),
                    Some("write `round: 2` for amounts of money".to_owned()),
                );
                return None;
            }
            places => places.as_ref().map(|places| places.value),
        };
        let mut told = |text: &At<String>| self.told(looked, &scope, text, Kind::Amount);
        Some(Amounts {
            of,
            net: told(&rows.net)?,
            rate: match &rows.rate {
                Some(text) => Some(told(text)?),
                None => None,
            },
            vat: match &rows.vat {
                Some(text) => Some(told(text)?),
                None => None,
            },
            round,
        })
    }

    /// A list of a record, and the scope of an expression over one of its items.
    fn listed(&mut self, looked: &Looked, text: &At<String>) -> Option<(Expr, Scope)> {
        let of = self.record_expr(looked.side, &looked.end, text, &looked.scope)?;
        let Some(item @ Type::Object(_)) = of.ty().item() else {
            self.error(
                &codes::BAD_RECONCILE,
                text.span,
                format!("`{text}` is {}: there are no rows in it", of.ty()),
                Some("name a list whose items have fields".to_owned()),
            );
            return None;
        };
        // the record's own fields have its side's name here
        let whole = match looked.scope.get(&self.sides[looked.side].name) {
            Some(ty) => ty.clone(),
            None => return None,
        };
        let scope = self.base_scope().root(self.sides[looked.side].name.clone(), whole).bare(item);
        Some((of, scope))
    }

    /// An expression over a record, or over an item of one of its lists.
    fn told(&mut self, looked: &Looked, scope: &Scope, text: &At<String>, kind: Kind) -> Option<Expr> {
        let expr = self.expr(text, scope)?;
        let (fits, wanted) = match kind {
            Kind::Amount => (matches!(expr.ty(), Type::Decimal | Type::Integer | Type::Any), "an amount"),
            Kind::Text => (matches!(expr.ty(), Type::Text | Type::Choice(_) | Type::Id | Type::Any), "text"),
            Kind::Date => (matches!(expr.ty(), Type::Date | Type::Time | Type::Any), "a date"),
        };
        if !fits {
            self.error(
                &codes::WRONG_KIND,
                text.span,
                format!("`{text}` is {}, {wanted} is wanted here", expr.ty()),
                Some(match kind {
                    Kind::Amount => {
                        "name a field that is a number, or make one of it: `… | decimal`".to_owned()
                    }
                    Kind::Text => "name a field that is text, or make one of it: `… | string`".to_owned(),
                    Kind::Date => "name a field that is a date or a time".to_owned(),
                }),
            );
            return None;
        }
        // bare names are the record's own only where no item is looked at
        let prefix = Path::key(self.sides[looked.side].name.clone());
        let of_record = std::ptr::eq(scope, &looked.scope);
        let uses: Vec<Path> = expr
            .uses()
            .into_iter()
            .filter(|path| of_record || path.strip_prefix(&prefix).is_some())
            .collect();
        self.need_uses(looked.side, &looked.end, uses);
        Some(expr)
    }

    /// An amount that two others may be apart.
    pub(super) fn allowed(&mut self, text: &At<String>) -> Option<Decimal> {
        let number = parse_decimal(&text.value).filter(|number| !number.is_sign_negative());
        if number.is_none() {
            self.error(
                &codes::WRONG_KIND,
                text.span,
                format!("`{text}` is no amount"),
                Some("write it as text: \"0.05\"".to_owned()),
            );
        }
        number
    }
}

/// What `verify` compares.
fn by_verify(verify: Option<&Verify>) -> Reconcile {
    let Some(verify) = verify else { return Reconcile::default() };
    Reconcile {
        sides: Both::of(|side| Reckoned {
            total: Some(Told::Field(verify.equal[side].clone())),
            currency: verify.same.as_ref().map(|same| Told::Field(same[side].clone())),
            ..Reckoned::default()
        }),
        tolerance: verify.tolerance,
        ignore_sign: verify.ignore_sign,
    }
}
