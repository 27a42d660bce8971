//! A text of SQL as it is put together in Rust, each byte with the place that it comes from.
//!
//! Comes in: literals, files, and what is put in at run time. Goes out: [`Text`].
//! Must not know: SQL.

/// Where a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    /// Position of the file.
    pub(super) file: usize,
    /// Its byte.
    pub(super) at: usize,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// What is written there.
    Text { value: String, spots: Vec<Spot> },
    /// What something of this name holds: a constant.
    Named { name: String, spot: Spot },
    /// What is put in at run time.
    Hole { spot: Spot },
    /// What a file holds; its path is absolute.
    File { path: camino::Utf8PathBuf },
}

/// A text with the places of its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    spots: Vec<Spot>,
}

impl Text {
    pub(super) fn push(&mut self, value: &str, spots: &[Spot]) {
        self.value.push_str(value);
        self.spots.extend_from_slice(spots);
    }

    /// Something in the place of what is not known.
    pub(super) fn fill(&mut self, value: &str, spot: Spot) {
        self.value.push_str(value);
        self.spots.extend(std::iter::repeat_n(spot, value.len()));
    }

    /// Where a byte of it stands.
    pub(super) fn spot(&self, byte: usize) -> Option<Spot> {
        self.spots.get(byte).or(self.spots.last()).copied()
    }
}

/// What a string literal means, with the place of each byte; `start` is where its text begins in the file.
pub(super) fn literal(spelled: &str, value: &str, file: usize, start: usize) -> Piece {
    let spots = unescaped(spelled)
        .filter(|(read, _)| read == value)
        .map(|(_, places)| places);
    let spots = spots.unwrap_or_else(|| vec![0; value.len()]);
    let spots = spots.into_iter().map(|place| Spot {
        file,
        at: start + place,
    });
    Piece::Text {
        value: value.to_owned(),
        spots: spots.collect(),
    }
}

/// A text of a file, as it stands there.
pub(super) fn whole(value: &str, file: usize) -> (String, Vec<Spot>) {
    let spots = (0..value.len()).map(|at| Spot { file, at });
    (value.to_owned(), spots.collect())
}

/// The value of a literal, and from which byte of it each byte comes.
fn unescaped(spelled: &str) -> Option<(String, Vec<usize>)> {
    let mut value = String::new();
    let mut places = Vec::new();
    let mut put = |character: char, at: usize| {
        value.push(character);
        places.extend(std::iter::repeat_n(at, character.len_utf8()));
    };
    if let Some(raw) = spelled.strip_prefix('r') {
        let inside = raw.trim_start_matches('#');
        let hashes = raw.len() - inside.len();
        let text = inside.strip_prefix('"')?;
        let end = text.len().checked_sub(hashes + 1)?;
        for (at, character) in text.get(..end)?.char_indices() {
            put(character, 2 + hashes + at);
        }
        return Some((value, places));
    }
    let text = spelled.strip_prefix('"')?.strip_suffix('"')?;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character != '\\' {
            put(character, at + 1);
            continue;
        }
        let (_, escaped) = characters.next()?;
        let meant = match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\n' | '\r' => {
                while characters.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                continue;
            }
            'x' => {
                let digits: String = characters.by_ref().take(2).map(|(_, c)| c).collect();
                char::from(u8::from_str_radix(&digits, 16).ok()?)
            }
            'u' => {
                let within = characters.by_ref().map(|(_, c)| c);
                let digits: String = within
                    .take_while(|c| *c != '}')
                    .filter(char::is_ascii_hexdigit)
                    .collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            other => other,
        };
        put(meant, at + 1);
    }
    Some((value, places))
}

/// The pieces of a format string. Named holes keep their names; of the others, `given` tells the names by position.
pub(super) fn format(pieces: Vec<Piece>, given: &[Option<String>]) -> Vec<Piece> {
    let mut made = Vec::new();
    let mut next = 0;
    for piece in pieces {
        let Piece::Text { value, spots } = piece else {
            made.push(piece);
            continue;
        };
        let mut at = 0;
        let mut held: (String, Vec<Spot>) = Default::default();
        while let Some(character) = value[at..].chars().next() {
            let end = at + character.len_utf8();
            let doubled = value[end..].starts_with(character);
            match character {
                '{' | '}' if doubled => {
                    held.0.push(character);
                    held.1.push(spots[at]);
                    at = end + 1;
                }
                '{' => {
                    let close = value[at..]
                        .find('}')
                        .map_or(value.len(), |found| at + found);
                    let inside = value[end.min(close)..close].split(':').next();
                    let inside = inside.unwrap_or_default().trim();
                    let name = match inside.parse::<usize>() {
                        Ok(place) => given.get(place).cloned().flatten(),
                        Err(_) if inside.is_empty() => {
                            next += 1;
                            given.get(next - 1).cloned().flatten()
                        }
                        Err(_) => Some(inside.to_owned()),
                    };
                    let spot = spots[at];
                    let (value, spots) = std::mem::take(&mut held);
                    made.push(Piece::Text { value, spots });
                    made.push(match name {
                        Some(name) => Piece::Named { name, spot },
                        None => Piece::Hole { spot },
                    });
                    at = close + 1;
                }
                _ => {
                    held.0.push(character);
                    held.1.extend_from_slice(&spots[at..end]);
                    at = end;
                }
            }
            if at >= value.len() {
                break;
            }
        }
        let (value, spots) = held;
        made.push(Piece::Text { value, spots });
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spelled: &str) -> (String, Vec<usize>) {
        let lit: syn::LitStr = syn::parse_str(spelled).unwrap();
        match literal(spelled, &lit.value(), 0, 0) {
            Piece::Text { value, spots } => {
                (value, spots.into_iter().map(|spot| spot.at).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_byte_of_a_literal_knows_its_place() {
        assert_eq!(of(r#""ab""#), ("ab".to_owned(), vec![1, 2]));
        assert_eq!(of(r#""a\nb""#), ("a\nb".to_owned(), vec![1, 2, 4]));
        assert_eq!(of("\"a \\\n   b\""), ("a b".to_owned(), vec![1, 2, 8]));
        assert_eq!(of("r#\"a\"b\"#"), ("a\"b".to_owned(), vec![3, 4, 5]));
        assert_eq!(of(r#""\u{e4}x""#), ("äx".to_owned(), vec![1, 1, 7]));
        assert_eq!(of(r#""\"x\"""#), ("\"x\"".to_owned(), vec![1, 3, 4]));
    }

    #[test]
    fn holes_are_told_by_name_or_position() {
        let text = |value: &str| Piece::Text {
            value: value.to_owned(),
            spots: vec![Spot { file: 0, at: 0 }; value.len()],
        };
        let given = [Some("LIST".to_owned()), None];
        let made = format(vec![text("a {} {{x}} {name:>3} {} {0}z")], &given);
        let shown: Vec<String> = made
            .iter()
            .map(|piece| match piece {
                Piece::Text { value, .. } => value.clone(),
                Piece::Named { name, .. } => format!("<{name}>"),
                other => format!("{other:?}").split(' ').next().unwrap().to_owned(),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "a ", "<LIST>", " {x} ", "<name>", " ", "Hole", " ", "<LIST>", "z"
            ]
        );
    }
}
