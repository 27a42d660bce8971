//! What PostgreSQL prints and the parser does not read, put in words that it knows. The user's text itself is never changed.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// `TRIM(BOTH FROM x)`, as the server prints `trim(x)`, becomes `TRIM(BOTH x)`.
pub(super) fn understood(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let significant = tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)));
    for token in significant {
        let trims = matches!(kept.as_slice(), [.., trim, open, side]
            if is_word(trim, &["TRIM"]) && open.token == Token::LParen
                && is_word(side, &["BOTH", "LEADING", "TRAILING"]));
        if !(trims && is_word(&token, &["FROM"])) {
            kept.push(token);
        }
    }
    kept
}

fn is_word(token: &TokenWithSpan, words: &[&str]) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none()
        && words.iter().any(|known| word.value.eq_ignore_ascii_case(known)))
}
