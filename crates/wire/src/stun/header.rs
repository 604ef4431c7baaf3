//! The 20-byte STUN header: class, method, cookie, transaction id (RFC 8489 §5).

pub const HEADER_LEN: usize = 20;

/// The constant that tells STUN from RFC 3489 and from everything else on the port.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// What a message is: two bits (C1, C0) woven into the message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// What a message is about: 12 bits woven around the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(u16);

impl Method {
    pub const BINDING: Self = Self(0x001);
    pub const ALLOCATE: Self = Self(0x003);
    pub const REFRESH: Self = Self(0x004);
    pub const SEND: Self = Self(0x006);
    pub const DATA: Self = Self(0x007);
    pub const CREATE_PERMISSION: Self = Self(0x008);
    pub const CHANNEL_BIND: Self = Self(0x009);
    pub const CONNECT: Self = Self(0x00A);
    pub const CONNECTION_BIND: Self = Self(0x00B);
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);
    pub const MAX: u16 = 0xFFF;

    /// `None` if the number does not fit in 12 bits.
    pub const fn new(number: u16) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The 96 bits by which a client knows the answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// Weaves class and method into the 14-bit message type: M11…M7 C1 M6…M4 C0 M3…M0.
pub(super) const fn message_type(class: Class, method: Method) -> u16 {
    let m = method.0;
    let (c1, c0) = match class {
        Class::Request => (0, 0),
        Class::Indication => (0, 1),
        Class::Success => (1, 0),
        Class::Error => (1, 1),
    };
    (m & 0xF80) << 2 | c1 << 8 | (m & 0x070) << 1 | c0 << 4 | (m & 0x00F)
}

/// Undoes [`message_type`]; `None` if one of the two highest bits is set, which no STUN message has.
pub(super) const fn split_message_type(bits: u16) -> Option<(Class, Method)> {
    if bits & 0xC000 != 0 {
        return None;
    }
    let class = match (bits >> 8 & 1, bits >> 4 & 1) {
        (0, 0) => Class::Request,
        (0, _) => Class::Indication,
        (_, 0) => Class::Success,
        _ => Class::Error,
    };
    Some((class, Method((bits >> 2 & 0xF80) | (bits >> 1 & 0x070) | (bits & 0x00F))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binding_types_are_those_of_the_registry() {
        assert_eq!(message_type(Class::Request, Method::BINDING), 0x0001);
        assert_eq!(message_type(Class::Indication, Method::BINDING), 0x0011);
        assert_eq!(message_type(Class::Success, Method::BINDING), 0x0101);
        assert_eq!(message_type(Class::Error, Method::BINDING), 0x0111);
    }

    #[test]
    fn every_type_survives_splitting_and_weaving() {
        for bits in 0..0x4000_u16 {
            let (class, method) = split_message_type(bits).unwrap();
            assert_eq!(message_type(class, method), bits);
        }
        for bits in 0x4000..=u16::MAX {
            assert_eq!(split_message_type(bits), None);
        }
    }
}
