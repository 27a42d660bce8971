//! Operators that only SQLite has, put in words that the parser knows. Only the names in an expression are looked for,
//! so that `=` may stand for `IS`; the user's text itself is never changed.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// `x NOT GLOB y` becomes `x GLOB y`, `x IS y` and `x IS NOT y` become `x = y`.
pub(super) fn understood(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut tokens: Vec<TokenWithSpan> = tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect();
    let mut position = 0;
    while position < tokens.len() {
        let next = |ahead: usize| tokens.get(position + ahead).map(|token| &token.token);
        if is_word(next(0), &["NOT"]) && is_word(next(1), &["GLOB", "MATCH", "REGEXP"]) {
            tokens.remove(position);
        } else if is_word(next(0), &["IS"]) {
            let negated = is_word(next(1), &["NOT"]);
            let known = ["NULL", "TRUE", "FALSE", "DISTINCT", "UNKNOWN"];
            if !is_word(next(1 + usize::from(negated)), &known) {
                if negated {
                    tokens.remove(position + 1);
                }
                tokens[position].token = Token::Eq;
            }
        }
        position += 1;
    }
    tokens
}

/// Whether a token is an operator that the parser reads and SQLite does not know: PostgreSQL's cast.
pub(super) fn is_foreign(token: &TokenWithSpan) -> bool {
    token.token == Token::DoubleColon
}

fn is_word(token: Option<&Token>, words: &[&str]) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none()
        && words.iter().any(|known| word.value.eq_ignore_ascii_case(known)))
}
