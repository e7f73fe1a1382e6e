//! Tokens to a filter: the grammar of RFC 7644 figure 1 with its errata, by
//! recursive descent whose depth is bounded before each descent.

use super::lexer::{Lexer, Token};
use super::operand::{applies, fit, literal};
use super::{Filter, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Operand, Operator};
use crate::scim::ScimError;
use crate::scim::path::{self, AttributePath, Name};
use crate::scim::schema::{ResourceType, Schema, Type};

/// Parses a whole filter. With `among_all`, names of other types are legal too.
pub(super) fn filter(
    text: &str,
    resource_type: &'static ResourceType,
    among_all: bool,
) -> Result<Filter, ScimError> {
    check_length(text)?;
    let names = match among_all {
        true => Names::AmongAll(resource_type),
        false => Names::Of(resource_type),
    };
    let mut parser = Parser::new(Lexer::new(text, 0), names);
    if parser.peek()?.0 == Token::End {
        return Err(ScimError::invalid_filter("the filter is empty"));
    }
    let filter = parser.disjunction()?;
    match parser.next()? {
        (Token::End, _) => Ok(filter),
        (token, at) => Err(parser.expected("`and`, `or` or the end", &token, at)),
    }
}

/// Parses the filter in the brackets of a PATCH path; `open` is the byte offset
/// after the opening bracket. Gives the filter and the offset after the closing
/// bracket.
pub(in crate::scim) fn bracketed(
    text: &str,
    open: usize,
    path: AttributePath,
) -> Result<(Filter, usize), ScimError> {
    check_length(text)?;
    let mut parser = Parser::new(Lexer::new(text, open), Names::In(path));
    let filter = parser.disjunction()?;
    parser.expect(&Token::CloseBracket, "`]`")?;
    Ok((filter, parser.lexer.offset()))
}

fn check_length(text: &str) -> Result<(), ScimError> {
    if text.len() <= MAX_LENGTH {
        return Ok(());
    }
    Err(ScimError::invalid_filter(format!(
        "the filter has {} bytes, more than {MAX_LENGTH}",
        text.len()
    )))
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Names {
    /// Among the attributes of a resource type.
    Of(&'static ResourceType),
    /// There first, and else among those of all other types.
    AmongAll(&'static ResourceType),
    /// Among the sub-attributes of the attribute before the bracket.
    In(AttributePath),
}

/// What a term is about.
enum Subject {
    Path(AttributePath),
    Extension(&'static Schema),
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(Token<'a>, usize)>,
    names: Names,
    depth: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn new(lexer: Lexer<'a>, names: Names) -> Self {
        Self {
            lexer,
            peeked: None,
            names,
            depth: 0,
            terms: 0,
        }
    }

    fn disjunction(&mut self) -> Result<Filter, ScimError> {
        let mut terms = vec![self.conjunction()?];
        while self.take_word("or")? {
            terms.push(self.conjunction()?);
        }
        Ok(any(terms))
    }

    fn conjunction(&mut self) -> Result<Filter, ScimError> {
        let mut terms = vec![self.term()?];
        while self.take_word("and")? {
            terms.push(self.term()?);
        }
        Ok(all(terms))
    }

    fn term(&mut self) -> Result<Filter, ScimError> {
        let (token, at) = self.next()?;
        match token {
            Token::Open => self.group(at),
            Token::Word(word) => {
                if word.eq_ignore_ascii_case("not") && self.peek()?.0 == Token::Open {
                    let (_, at) = self.next()?;
                    return Ok(Filter::Not(Box::new(self.group(at)?)));
                }
                self.attribute_term(word, at)
            }
            token => Err(self.expected("an attribute, `not` or `(`", &token, at)),
        }
    }

    /// What stands in parentheses, the opening one just read.
    fn group(&mut self, at: usize) -> Result<Filter, ScimError> {
        self.descend(at)?;
        let filter = self.disjunction()?;
        self.expect(&Token::Close, "`)`")?;
        self.depth -= 1;
        Ok(filter)
    }

    fn attribute_term(&mut self, word: &str, at: usize) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self
                .lexer
                .fault(at, format_args!("more than {MAX_TERMS} terms")));
        }
        let subject = self.subject(word, at)?;
        if let (Token::OpenBracket, open) = *self.peek()? {
            return match subject {
                Subject::Path(path) => self.value_path(path, open),
                Subject::Extension(_) => Err(self
                    .lexer
                    .fault(open, "no value filter can stand after a schema")),
            };
        }
        match subject {
            Subject::Path(path) => self.comparison(path),
            Subject::Extension(schema) => {
                let (token, at) = self.next()?;
                if !is_word(&token, "pr") {
                    return Err(self.expected("`pr` after a schema", &token, at));
                }
                let present = |attribute| {
                    Filter::Present(AttributePath {
                        extension: Some(schema),
                        attribute,
                        sub: None,
                    })
                };
                let visible = schema
                    .attributes
                    .iter()
                    .filter(|attribute| !attribute.is_secret());
                Ok(any(visible.map(present).collect()))
            }
        }
    }

    fn subject(&mut self, word: &str, at: usize) -> Result<Subject, ScimError> {
        let found = match self.names {
            Names::In(path) => path::sub_attribute(path.attribute, word).map(|sub| {
                Name::Attribute(AttributePath {
                    sub: Some(sub),
                    ..path
                })
            }),
            Names::Of(resource_type) => path::resolve(word, resource_type),
            Names::AmongAll(resource_type) => path::resolve_among_all(word, resource_type),
        };
        match found {
            Ok(Name::Attribute(path)) if path.attribute.is_secret() || path.leaf().is_secret() => {
                Err(self
                    .lexer
                    .fault(at, format_args!("`{path}` can be no part of a filter")))
            }
            Ok(Name::Attribute(path)) => Ok(Subject::Path(path)),
            Ok(Name::Extension(schema)) => Ok(Subject::Extension(schema)),
            Ok(Name::Core) => Err(self.lexer.fault(at, "a schema instead of an attribute")),
            Err(fault) => Err(self.lexer.fault(at, fault.into_message())),
        }
    }

    /// `[filter]`, and after it perhaps `.sub` with a comparison about the same
    /// element.
    fn value_path(&mut self, path: AttributePath, open: usize) -> Result<Filter, ScimError> {
        if matches!(self.names, Names::In(_)) {
            return Err(self
                .lexer
                .fault(open, "a value filter inside a value filter"));
        }
        if path.sub.is_some() || path.attribute.kind != Type::Complex {
            return Err(self.lexer.fault(
                open,
                format_args!("`{path}` has no sub-attributes to filter by"),
            ));
        }
        self.next()?;
        self.descend(open)?;
        let outside = std::mem::replace(&mut self.names, Names::In(path));
        let mut filter = self.disjunction()?;
        self.expect(&Token::CloseBracket, "`]`")?;
        if self.lexer.dot_follows() {
            let (token, at) = self.next()?;
            let Token::Word(word) = token else {
                return Err(self.expected("a sub-attribute", &token, at));
            };
            let name = word.strip_prefix('.').unwrap_or(word);
            if let Subject::Path(path) = self.subject(name, at)? {
                filter = all(vec![filter, self.comparison(path)?]);
            }
        }
        self.names = outside;
        self.depth -= 1;
        Ok(Filter::Value {
            path,
            filter: Box::new(filter),
        })
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        let (token, at) = self.next()?;
        if is_word(&token, "pr") {
            return Ok(Filter::Present(path));
        }
        let operator = match token {
            Token::Word(word) => Operator::parse(word),
            _ => None,
        };
        let Some(operator) = operator else {
            let expected = "`eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt`, `le` or `pr`";
            return Err(self.expected(expected, &token, at));
        };
        let (token, operand_at) = self.next()?;
        let operand = match token {
            Token::Text(text) => Operand::String(text),
            Token::Word(word) => match literal(word) {
                Some(operand) => operand,
                None => return Err(self.expected(OPERANDS, &token, operand_at)),
            },
            _ => return Err(self.expected(OPERANDS, &token, operand_at)),
        };
        self.check(path, (operator, at), (operand, operand_at))
    }

    /// Makes sure that the operator and the operand fit the attribute.
    fn check(
        &self,
        mut path: AttributePath,
        (operator, at): (Operator, usize),
        (operand, operand_at): (Operand, usize),
    ) -> Result<Filter, ScimError> {
        let refused = |path: AttributePath| {
            let message = format!("`{}` cannot be applied to `{path}`", operator.as_str());
            Err(self.lexer.fault(at, message))
        };
        if operand == Operand::Null {
            return match operator {
                Operator::Eq | Operator::Ne => Ok(Filter::Compare {
                    path,
                    operator,
                    operand,
                }),
                _ => refused(path),
            };
        }
        if path.leaf().kind == Type::Complex {
            let Some(value) = path.attribute.sub("value").filter(|sub| !sub.is_secret()) else {
                let message = format!("`{path}` is complex and has no `value` to compare");
                return Err(self.lexer.fault(at, message));
            };
            path.sub = Some(value);
        }
        let kind = path.leaf().kind;
        if !applies(operator, kind) {
            return refused(path);
        }
        match fit(operand, kind) {
            Ok(operand) => Ok(Filter::Compare {
                path,
                operator,
                operand,
            }),
            Err(expected) => {
                let message = format!("`{path}` is compared with {expected}, not with what begins");
                Err(self.lexer.fault(operand_at, message))
            }
        }
    }

    fn descend(&mut self, at: usize) -> Result<(), ScimError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH}");
            return Err(self.lexer.fault(at, message));
        }
        self.depth += 1;
        Ok(())
    }

    fn peek(&mut self) -> Result<&(Token<'a>, usize), ScimError> {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        Ok(self.peeked.insert(token))
    }

    fn next(&mut self) -> Result<(Token<'a>, usize), ScimError> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    fn take_word(&mut self, word: &str) -> Result<bool, ScimError> {
        let found = is_word(&self.peek()?.0, word);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn expect(&mut self, wanted: &Token<'_>, name: &str) -> Result<(), ScimError> {
        let (token, at) = self.next()?;
        if token == *wanted {
            Ok(())
        } else {
            Err(self.expected(name, &token, at))
        }
    }

    fn expected(&self, expected: &str, found: &Token<'_>, at: usize) -> ScimError {
        let found = match found {
            Token::Open => "`(`".to_owned(),
            Token::Close => "`)`".to_owned(),
            Token::OpenBracket => "`[`".to_owned(),
            Token::CloseBracket => "`]`".to_owned(),
            Token::Text(_) => "a string".to_owned(),
            Token::Word(word) => format!("`{word}`"),
            Token::End => "the end".to_owned(),
        };
        self.lexer
            .fault(at, format_args!("expected {expected}, found {found}"))
    }
}

const OPERANDS: &str = "a quoted string, a number, `true`, `false` or `null`";

/// A conjunction, flat.
fn all(terms: Vec<Filter>) -> Filter {
    flat(terms, Filter::And, |term| match term {
        Filter::And(terms) => Ok(terms),
        other => Err(other),
    })
}

/// A disjunction, flat.
fn any(terms: Vec<Filter>) -> Filter {
    flat(terms, Filter::Or, |term| match term {
        Filter::Or(terms) => Ok(terms),
        other => Err(other),
    })
}

fn flat(
    terms: Vec<Filter>,
    join: fn(Vec<Filter>) -> Filter,
    open: fn(Filter) -> Result<Vec<Filter>, Filter>,
) -> Filter {
    let mut all = Vec::with_capacity(terms.len());
    for term in terms {
        match open(term) {
            Ok(inner) => all.extend(inner),
            Err(term) => all.push(term),
        }
    }
    match all.pop() {
        Some(only) if all.is_empty() => only,
        last => {
            all.extend(last);
            join(all)
        }
    }
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word))
}
