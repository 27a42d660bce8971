//! Which enums a plan names, so that versions are kept apart that would mean different types by one name.

use std::collections::BTreeSet;

use zdm_model::Schema;
use zdm_runtime::phase::Section;

use crate::dialect::Dialect;
use crate::plan::{Alteration, ColumnShape, Drafted, Naming};

/// The enums whose types exchange their names with others.
pub(in crate::plan) fn exchanged(drafted: &[Drafted]) -> Vec<String> {
    let renames = drafted
        .iter()
        .filter_map(|drafted| match &drafted.alteration {
            Alteration::Name(Naming::Types(renames)) => renames.first(),
            _ => None,
        });
    renames.map(|(name, _)| name.clone()).collect()
}

/// The enums that expand names.
pub(in crate::plan) fn named(drafted: &[Drafted], to: &Schema, dialect: &Dialect) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut of_column = |column: &ColumnShape| {
        let enums = to.enums.iter().filter(|found| {
            let name = dialect.relation(&found.name);
            column.sql_type == name || column.sql_type.strip_suffix("[]") == Some(&name)
        });
        enums.map(|found| found.name.clone()).collect::<Vec<_>>()
    };
    if !dialect.capabilities().enum_types {
        return Vec::new();
    }
    for drafted in drafted {
        match &drafted.alteration {
            _ if drafted.section != Section::Expand => {}
            Alteration::CreateTable(table) => {
                names.extend(table.columns.iter().flat_map(&mut of_column));
            }
            Alteration::AddColumn(column) => names.extend(of_column(column)),
            Alteration::AddEnumValue(value) => {
                names.insert(value.name.clone());
            }
            Alteration::Name(Naming::CreateCast(cast))
                if to.enumeration(&cast.enumeration).is_some() =>
            {
                names.insert(cast.enumeration.clone());
            }
            _ => {}
        }
    }
    names.into_iter().collect()
}
