//! ERROR-CODE: why a request was refused (RFC 8489 §14.8).

use super::attribute::kind;
use super::message::Message;

/// What an error response says. It borrows from the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For people; what is not UTF-8 is left out.
    pub reason: &'a str,
}

impl<'a> Message<'a> {
    /// `None`: there is no ERROR-CODE, or none that makes sense.
    pub fn error_code(&self) -> Option<ErrorCode<'a>> {
        let ([_, _, class, number], reason) = self.attribute(kind::ERROR_CODE)?.value.split_first_chunk::<4>()?;
        let class = class & 7;
        if !(3..=6).contains(&class) || *number > 99 {
            return None;
        }
        let code = u16::from(class) * 100 + u16::from(*number);
        Some(ErrorCode { code, reason: std::str::from_utf8(reason).unwrap_or_default() })
    }
}
