//! Why the engine refused a command.

use std::{fmt, io};

#[derive(Debug)]
pub enum EngineError {
    /// The operating system said no; its errno is kept.
    Io(io::Error),
    /// The engine was closed.
    Closed,
    /// The engine's threads live in the parent process: fork() does not copy threads.
    Forked,
    /// A number that makes no sense; the text says which and what would.
    Invalid(&'static str),
    /// A shard holds 2²⁰ things already.
    Full,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Closed => f.write_str("the engine is closed"),
            Self::Forked => f.write_str(
                "this engine was made before fork() and its threads stayed in the parent; make a new one in the child",
            ),
            Self::Invalid(what) => f.write_str(what),
            Self::Full => f.write_str("the shard has no slot left"),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io(error) = self { Some(error) } else { None }
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
