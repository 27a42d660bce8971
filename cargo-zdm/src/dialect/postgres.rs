//! Expressions as PostgreSQL prints them, put in words that the parser knows. Where only the names in an expression are looked
//! for, a part without any may be left out; the user's text itself is never changed.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// `TRIM(BOTH FROM x)` becomes `TRIM(x)`, `x COLLATE "C"` becomes `x`, and `f(VARIADIC x)` becomes `f(x)`.
pub(super) fn understood(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words = [Keyword::TRIM, Keyword::COLLATE, Keyword::VARIADIC];
    if !tokens.iter().any(|token| is_word(token, &words)) {
        return tokens;
    }
    let mut rest = without_space(tokens);
    let mut position = 0;
    while position < rest.len() {
        let behind = &rest[position..];
        match behind {
            [variadic, ..] if is_word(variadic, &[Keyword::VARIADIC]) => {
                rest.remove(position);
                continue;
            }
            [collate, collation, ..]
                if is_word(collate, &[Keyword::COLLATE]) && is_name(collation) =>
            {
                let qualified = matches!(behind, [_, _, dot, name, ..]
                    if dot.token == Token::Period && is_name(name));
                rest.drain(position..position + if qualified { 4 } else { 2 });
                continue;
            }
            _ if trimmed_side(behind).is_some() => {
                rest.drain(position + 2..position + 4);
            }
            _ => {}
        }
        position += 1;
    }
    rest
}

/// `TRIM(BOTH FROM x)` becomes `TRIM(x)`, `TRIM(LEADING FROM x)` what means the same, `ltrim(x)`, and `f(VARIADIC ARRAY[x, y])`
/// becomes `f(x, y)`.
pub(super) fn meant(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut rest = without_space(tokens);
    let mut position = 0;
    while position < rest.len() {
        if let Some(side) = trimmed_side(&rest[position..]) {
            let function = match side {
                Keyword::LEADING => "ltrim",
                Keyword::TRAILING => "rtrim",
                _ => "TRIM",
            };
            rest[position].token = Token::make_word(function, None);
            rest.drain(position + 2..position + 4);
        }
        if let Some(end) = end_of_list(&rest[position..]) {
            rest.remove(position + end);
            rest.drain(position..position + 3);
            continue;
        }
        position += 1;
    }
    rest
}

/// Where `VARIADIC ARRAY[…]` begins: its closing bracket.
fn end_of_list(tokens: &[TokenWithSpan]) -> Option<usize> {
    let [variadic, array, open, ..] = tokens else {
        return None;
    };
    let begins = is_word(variadic, &[Keyword::VARIADIC])
        && is_word(array, &[Keyword::ARRAY])
        && open.token == Token::LBracket;
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        depth += match token.token {
            Token::LBracket => 1,
            Token::RBracket => -1,
            _ => return false,
        };
        depth == 0
    });
    end.filter(|_| begins)
}

/// Where `TRIM(LEADING FROM …` begins, without what is trimmed: its side.
fn trimmed_side(tokens: &[TokenWithSpan]) -> Option<Keyword> {
    let [trim, open, side, from, ..] = tokens else {
        return None;
    };
    let begins = is_word(trim, &[Keyword::TRIM])
        && open.token == Token::LParen
        && is_word(from, &[Keyword::FROM]);
    let sides = [Keyword::BOTH, Keyword::LEADING, Keyword::TRAILING];
    sides
        .into_iter()
        .find(|word| begins && is_word(side, &[*word]))
}

fn without_space(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect()
}

fn is_word(token: &TokenWithSpan, words: &[Keyword]) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && words.contains(&word.keyword))
}

fn is_name(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Word(_))
}
