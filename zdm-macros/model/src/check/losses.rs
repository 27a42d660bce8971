//! What a conversion is known to lose: `up_loses`, `down_loses`.

use crate::attributes::Errors;
use crate::declaration::Declaration;

/// A value is lost on the way there and back, so both have to be declared. What is built in is known to lose what it does.
pub(super) fn are_of_two_ways(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let given = &field.attributes;
        if given.up.is_some() && given.down.is_some() {
            continue;
        }
        let lost = given.up_loses.as_ref().map(|lost| (lost.span, "up_loses"));
        let lost = lost.or(given
            .down_loses
            .as_ref()
            .map(|lost| (lost.span, "down_loses")));
        if let Some((span, word)) = lost {
            errors.at(
                span,
                format!(
                    "`{word}` names values that `up` and `down` do not bring back, but the field does not declare both"
                ),
            );
        }
    }
}
