//! Text to tokens, one at a time and never ahead of what was asked for, so that
//! a PATCH path can go on after the bracket that closes its filter.

use crate::scim::ScimError;

/// One token of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// A JSON string, decoded.
    Text(String),
    /// Anything else up to a space, a quote or one of the above.
    Word(&'a str),
    /// Nothing is left.
    End,
}

/// Reads tokens from a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Begins at a byte offset, which must be that of a character.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// The byte offset after the last token.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Whether the text goes on with a dot, with no space before it.
    pub(super) fn dot_follows(&self) -> bool {
        self.rest().starts_with('.')
    }

    /// The next token and the byte offset where it begins.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, usize), ScimError> {
        let rest = self.rest().trim_start();
        let start = self.text.len() - rest.len();
        let (token, length) = match rest.chars().next() {
            None => (Token::End, 0),
            Some('(') => (Token::Open, 1),
            Some(')') => (Token::Close, 1),
            Some('[') => (Token::OpenBracket, 1),
            Some(']') => (Token::CloseBracket, 1),
            Some('"') => self.string(rest, start)?,
            Some(_) => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"');
                let word = rest.split(ends).next().unwrap_or(rest);
                (Token::Word(word), word.len())
            }
        };
        self.at = start + length;
        Ok((token, start))
    }

    /// An error that points at a character, counted from 1.
    pub(super) fn fault(&self, at: usize, message: impl std::fmt::Display) -> ScimError {
        let before = self.text.get(..at).unwrap_or(self.text);
        let character = before.chars().count() + 1;
        ScimError::invalid_filter(format!("{message} at character {character}"))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn string(&self, rest: &str, start: usize) -> Result<(Token<'a>, usize), ScimError> {
        let mut escaped = false;
        let closing = rest.bytes().enumerate().skip(1).find(|&(_, byte)| {
            let found = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            found
        });
        let Some(length) = closing.map(|(at, _)| at + 1) else {
            return Err(self.fault(start, "the string is not closed that begins"));
        };
        let literal = rest.get(..length).unwrap_or_default();
        match serde_json::from_str(literal) {
            Ok(text) => Ok((Token::Text(text), length)),
            Err(_) => Err(self.fault(start, "not a JSON string")),
        }
    }
}
