//! Expressions as PostgreSQL prints them, put in words that the parser knows. Only the names in an expression are looked for, so
//! that a part without any may be left out; the user's text itself is never changed.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// `TRIM(BOTH FROM x)` becomes `TRIM(x)`, and `x COLLATE "C"` becomes `x`.
pub(super) fn understood(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let says = |token: &TokenWithSpan, words: &[Keyword]| is_word(token, words);
    if !tokens
        .iter()
        .any(|token| says(token, &[Keyword::TRIM, Keyword::COLLATE]))
    {
        return tokens;
    }
    let mut rest: Vec<TokenWithSpan> = tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect();
    let mut position = 0;
    while position < rest.len() {
        let behind = &rest[position..];
        match behind {
            [trim, open, side, from, ..]
                if says(trim, &[Keyword::TRIM])
                    && open.token == Token::LParen
                    && says(side, &[Keyword::BOTH, Keyword::LEADING, Keyword::TRAILING])
                    && says(from, &[Keyword::FROM]) =>
            {
                rest.drain(position + 2..position + 4);
            }
            [collate, collation, ..]
                if says(collate, &[Keyword::COLLATE]) && is_name(collation) =>
            {
                let qualified = matches!(behind, [_, _, dot, name, ..]
                    if dot.token == Token::Period && is_name(name));
                rest.drain(position..position + if qualified { 4 } else { 2 });
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    rest
}

fn is_word(token: &TokenWithSpan, words: &[Keyword]) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && words.contains(&word.keyword))
}

fn is_name(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Word(_))
}
