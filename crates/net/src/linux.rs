//! recvmmsg(2) and sendmmsg(2) with GRO and GSO. All unsafe code of the project stands here and in `address`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;

use crate::SLOT_LEN;
use crate::address::Name;
use crate::receive::Received;
use crate::send::{Message, Piece, Sent};

const CONTROL_LEN: usize = 64;
/// Room for UDP_GRO or UDP_SEGMENT, and for PKTINFO of either family, aligned as `cmsghdr` wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_LEN]);

const EMPTY_HEADER: libc::mmsghdr = libc::mmsghdr {
    // SAFETY: all zero bytes are a valid `msghdr`: null pointers with lengths of 0.
    msg_hdr: unsafe { std::mem::zeroed() },
    msg_len: 0,
};

/// Asks for GRO, and, for a socket of all addresses, to be told which of them each datagram was sent to.
/// What an old kernel does not know is done without.
pub fn prepare(socket: &impl AsFd, is_ipv6: bool, is_wildcard: bool) {
    let fd = socket.as_fd();
    set(fd, libc::SOL_UDP, libc::UDP_GRO);
    if is_wildcard {
        let (level, option) = match is_ipv6 {
            true => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
            false => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        };
        set(fd, level, option);
    }
}

/// Whether a datagram can be sent that nobody on its way may cut to pieces.
pub const CAN_FORBID_FRAGMENTS: bool = true;

/// As long as this lives, what its socket sends arrives whole or not at all; then it is as before.
#[derive(Debug)]
pub struct FragmentsForbidden<'a> {
    fd: BorrowedFd<'a>,
    level: libc::c_int,
    option: libc::c_int,
    before: libc::c_int,
}

/// Sets the bit that forbids fragments (DF over IPv4), and has the kernel refuse what is longer than the path allows.
pub fn forbid_fragments(socket: &impl AsFd, is_ipv6: bool) -> io::Result<FragmentsForbidden<'_>> {
    let (level, option, on) = match is_ipv6 {
        true => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO),
        false => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO),
    };
    let fd = socket.as_fd();
    let before = get_option(fd, level, option)?;
    set_option(fd, level, option, on)?;
    Ok(FragmentsForbidden { fd, level, option, before })
}

impl Drop for FragmentsForbidden<'_> {
    fn drop(&mut self) {
        // What was there before can be set again.
        let _ = set_option(self.fd, self.level, self.option, self.before);
    }
}

/// Switches an option on; what an old kernel does not know stays off.
fn set(fd: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int) {
    let _ = set_option(fd, level, option, 1);
}

fn set_option(fd: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the option's value is an int, and its length is given.
    match unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, ptr::from_ref(&value).cast(), len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn get_option(fd: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the option's value is an int, there is room for one, and its length is given.
    match unsafe { libc::getsockopt(fd.as_raw_fd(), level, option, ptr::from_mut(&mut value).cast(), &raw mut len) } {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}

/// One header for each slot of the ring, pointing at its bytes for good.
pub(crate) struct ReceiveHeaders {
    headers: Vec<libc::mmsghdr>,
    // The headers point into these three, which therefore never grow.
    _iovecs: Vec<libc::iovec>,
    names: Vec<Name>,
    controls: Vec<Control>,
}

impl ReceiveHeaders {
    /// `bytes` must stay where it is for as long as this is used; `receive` is given it again, as proof.
    pub(crate) fn new(bytes: &mut [u8], slots: usize) -> Self {
        assert_eq!(bytes.len(), slots * SLOT_LEN);
        let mut names = vec![Name::empty(); slots];
        let mut controls = vec![Control([0; CONTROL_LEN]); slots];
        let slices = bytes.chunks_exact_mut(SLOT_LEN);
        let mut iovecs: Vec<_> =
            slices.map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: SLOT_LEN }).collect();
        let mut headers = vec![EMPTY_HEADER; slots];
        for (index, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_name = ptr::from_mut(&mut names[index]).cast();
            header.msg_hdr.msg_iov = ptr::from_mut(&mut iovecs[index]);
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = ptr::from_mut(&mut controls[index]).cast();
        }
        Self { headers, _iovecs: iovecs, names, controls }
    }

    pub(crate) fn slots(&self) -> usize {
        self.headers.len()
    }

    /// Fills up to `max` slots from `first` on.
    pub(crate) fn receive(
        &mut self,
        fd: BorrowedFd<'_>,
        bytes: &mut [u8],
        first: usize,
        max: usize,
        received: &mut Vec<Received>,
    ) -> io::Result<usize> {
        let headers = &mut self.headers[first..first + max];
        if let Some(header) = headers.first() {
            // SAFETY: `msg_iov` points into `_iovecs`, set in `new`.
            let start = unsafe { (*header.msg_hdr.msg_iov).iov_base };
            assert_eq!(start, bytes[first * SLOT_LEN..].as_mut_ptr().cast(), "these are not the bytes of `new`");
        }
        for header in &mut *headers {
            header.msg_hdr.msg_namelen = Name::LEN;
            header.msg_hdr.msg_controllen = CONTROL_LEN as _;
        }
        // SAFETY: each header points at a name, an iovec and a control buffer that live in `self` and never move, and
        // through the iovec at a slot of `bytes`, which the caller has lent to us exclusively.
        let count = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                max as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (index, header) in headers.iter().enumerate().take(count) {
            let slot = first + index;
            let control = &self.controls[slot].0[..CONTROL_LEN.min(header.msg_hdr.msg_controllen as _)];
            let Ancillary { stride, local_ip } = Ancillary::read(control);
            // A socket of ours has no other families than these two.
            let Some(source) = self.names[slot].get() else { continue };
            received.push(Received::new(source, local_ip, slot, header.msg_len as usize, stride));
        }
        Ok(count)
    }
}

/// What the kernel says beside a datagram.
#[derive(Default)]
struct Ancillary {
    stride: usize,
    local_ip: Option<IpAddr>,
}

const CMSG_HEADER_LEN: usize = size_of::<libc::cmsghdr>();
const LEVEL_AT: usize = size_of::<usize>();

impl Ancillary {
    /// Reads control messages as plain bytes: length, level, type, data, aligned to words (`cmsg(3)`).
    fn read(mut control: &[u8]) -> Self {
        let mut found = Self::default();
        while let Some(header) = control.first_chunk::<CMSG_HEADER_LEN>() {
            let number = |at: usize| i32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let len = usize::from_ne_bytes(*header.first_chunk().expect("a header begins with its length"));
            let Some(data) = control.get(CMSG_HEADER_LEN..len) else { break };
            match (number(LEVEL_AT), number(LEVEL_AT + 4)) {
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    found.stride = data.first_chunk().map_or(0, |&stride| i32::from_ne_bytes(stride).max(0) as usize);
                }
                // struct in_pktinfo: interface, the address to answer from, the address in the header
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let ip = data.get(8..12).and_then(|ip| <[u8; 4]>::try_from(ip).ok());
                    found.local_ip = ip.map(|ip| Ipv4Addr::from(ip).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    found.local_ip = data.first_chunk::<16>().map(|&ip| Ipv6Addr::from(ip).into());
                }
                _ => {}
            }
            control = control.get(len.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
        }
        found
    }
}

impl Control {
    /// Appends one control message; gives the new length.
    fn append(&mut self, at: usize, level: libc::c_int, kind: libc::c_int, data: &[u8]) -> usize {
        let room = &mut self.0[at..];
        let len = CMSG_HEADER_LEN + data.len();
        room[..LEVEL_AT].copy_from_slice(&len.to_ne_bytes());
        room[LEVEL_AT..LEVEL_AT + 4].copy_from_slice(&level.to_ne_bytes());
        room[LEVEL_AT + 4..CMSG_HEADER_LEN].copy_from_slice(&kind.to_ne_bytes());
        room[CMSG_HEADER_LEN..len].copy_from_slice(data);
        at + len.next_multiple_of(size_of::<usize>())
    }

    /// Fills it with how a run is cut and where it leaves from; gives its length.
    fn write(&mut self, segment_len: Option<u32>, source_ip: Option<IpAddr>) -> usize {
        let mut end = 0;
        if let Some(len) = segment_len {
            end = self.append(end, libc::SOL_UDP, libc::UDP_SEGMENT, &(len as u16).to_ne_bytes());
        }
        match source_ip {
            Some(IpAddr::V4(ip)) => {
                let mut info = [0; 12];
                info[4..8].copy_from_slice(&ip.octets());
                end = self.append(end, libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
            }
            Some(IpAddr::V6(ip)) => {
                let mut info = [0; 20];
                info[..16].copy_from_slice(&ip.octets());
                end = self.append(end, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
            }
            None => {}
        }
        end
    }
}

/// The kernel's view of a batch, built anew at each flush in memory that is used again.
#[derive(Default)]
pub(crate) struct SendHeaders {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    names: Vec<Name>,
    controls: Vec<Control>,
    /// The kernel, or a network card's driver, has refused a run once: from then on each datagram goes alone.
    has_no_gso: bool,
}

impl std::fmt::Debug for SendHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendHeaders").field("has_no_gso", &self.has_no_gso).finish_non_exhaustive()
    }
}

impl SendHeaders {
    pub(crate) fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        messages: &[Message],
        pieces: &[Piece],
        received: &[u8],
        own: &[u8],
    ) -> Sent {
        let mut sent = Sent::default();
        if let ([message @ Message { source_ip: None, datagrams: 1, .. }], [piece]) = (messages, pieces) {
            // The usual case of a relay, and cheaper than a batch of one.
            let is_sent = send_to(fd, message.destination, piece.bytes(received, own)).is_ok();
            return Sent { sent: u64::from(is_sent), failed: u64::from(!is_sent) };
        }
        self.build(messages, pieces, received, own);
        let mut next = 0;
        while let Some(message) = messages.get(next) {
            let alone = || send_one_by_one(fd, message, pieces_of(messages, next, pieces), received, own);
            if message.datagrams > 1 && self.has_no_gso {
                sent = sent + alone();
                next += 1;
                continue;
            }
            let until = match self.has_no_gso {
                true => messages[next..].iter().position(|m| m.datagrams > 1).map_or(messages.len(), |n| next + n),
                false => messages.len(),
            };
            let headers = &mut self.headers[next..until];
            let (count, flags) = (headers.len() as libc::c_uint, libc::MSG_DONTWAIT);
            // SAFETY: `build` has pointed each header at a name, iovecs and a control buffer that stand in `self` and
            // have not moved since; the iovecs point into `received` and `own`, which are borrowed for this call and
            // which the kernel only reads.
            let count = unsafe { libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, flags as _) };
            if let Ok(count @ 1..) = usize::try_from(count) {
                sent.sent += messages[next..next + count].iter().map(|m| u64::from(m.datagrams)).sum::<u64>();
                next += count;
                continue;
            }
            // An error is that of the first message.
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EIO | libc::EOPNOTSUPP | libc::ENOPROTOOPT) if message.datagrams > 1 => {
                    self.has_no_gso = true
                }
                // One datagram that is longer than the path allows: no verdict on runs in general.
                Some(libc::EINVAL | libc::EMSGSIZE) if message.datagrams > 1 => {
                    sent = sent + alone();
                    next += 1;
                }
                _ => {
                    sent.failed += u64::from(message.datagrams);
                    next += 1;
                }
            }
        }
        sent
    }

    fn build(&mut self, messages: &[Message], pieces: &[Piece], received: &[u8], own: &[u8]) {
        self.iovecs.clear();
        self.iovecs.extend(pieces.iter().map(|piece| {
            let bytes = piece.bytes(received, own);
            libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
        }));
        self.names.resize(messages.len().max(self.names.len()), Name::empty());
        self.controls.resize(messages.len().max(self.controls.len()), Control([0; CONTROL_LEN]));
        self.headers.resize(messages.len().max(self.headers.len()), EMPTY_HEADER);
        let mut first_piece = 0;
        for (index, message) in messages.iter().enumerate() {
            let (name, name_len) = Name::of(message.destination);
            self.names[index] = name;
            let segment_len = (message.datagrams > 1).then_some(message.segment_len);
            let control_len = self.controls[index].write(segment_len, message.source_ip);
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.names[index]).cast();
            header.msg_namelen = name_len;
            header.msg_iov = self.iovecs[first_piece..].as_mut_ptr();
            header.msg_iovlen = (message.pieces_end as usize - first_piece) as _;
            header.msg_control = match control_len {
                0 => ptr::null_mut(),
                _ => ptr::from_mut(&mut self.controls[index]).cast(),
            };
            header.msg_controllen = control_len as _;
            first_piece = message.pieces_end as usize;
        }
    }
}

impl std::ops::Add for Sent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { sent: self.sent + other.sent, failed: self.failed + other.failed }
    }
}

fn pieces_of<'a>(messages: &[Message], index: usize, pieces: &'a [Piece]) -> &'a [Piece] {
    let first = index.checked_sub(1).map_or(0, |before| messages[before].pieces_end as usize);
    &pieces[first..messages[index].pieces_end as usize]
}

/// A run whose kernel knows no GSO, or one of whose datagrams is longer than the path allows.
fn send_one_by_one(fd: BorrowedFd<'_>, message: &Message, pieces: &[Piece], received: &[u8], own: &[u8]) -> Sent {
    let mut sent = Sent::default();
    let mut datagram = Vec::with_capacity(message.segment_len as usize);
    for (index, piece) in pieces.iter().enumerate() {
        datagram.extend_from_slice(piece.bytes(received, own));
        if datagram.len() == message.segment_len as usize || index + 1 == pieces.len() {
            let is_sent = send_from(fd, message.source_ip, message.destination, &datagram).is_ok();
            sent = sent + Sent { sent: u64::from(is_sent), failed: u64::from(!is_sent) };
            datagram.clear();
        }
    }
    sent
}

fn send_from(fd: BorrowedFd<'_>, source: Option<IpAddr>, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    let (mut name, name_len) = Name::of(destination);
    let mut control = Control([0; CONTROL_LEN]);
    let control_len = control.write(None, source);
    let mut iovec = libc::iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
    let mut header = EMPTY_HEADER.msg_hdr;
    header.msg_name = ptr::from_mut(&mut name).cast();
    header.msg_namelen = name_len;
    header.msg_iov = &raw mut iovec;
    header.msg_iovlen = 1;
    if control_len > 0 {
        header.msg_control = ptr::from_mut(&mut control).cast();
        header.msg_controllen = control_len as _;
    }
    // SAFETY: everything the header points at stands on this stack frame, or is `datagram`, which is only read.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn send_to(fd: BorrowedFd<'_>, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    let (name, name_len) = Name::of(destination);
    // SAFETY: both buffers are alive for the call and given with their lengths.
    let sent = unsafe {
        libc::sendto(
            fd.as_raw_fd(),
            datagram.as_ptr().cast(),
            datagram.len(),
            libc::MSG_DONTWAIT,
            ptr::from_ref(&name).cast(),
            name_len,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_forbidden_for_a_while_and_then_as_before() {
        for (address, level, option, forbidden) in [
            ("127.0.0.1:0", libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO),
            ("[::1]:0", libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO),
        ] {
            let socket = std::net::UdpSocket::bind(address).unwrap();
            let now = || get_option(socket.as_fd(), level, option).unwrap();
            let before = now();
            assert_ne!(before, forbidden);
            let guard = forbid_fragments(&socket, address.starts_with('[')).unwrap();
            assert_eq!(now(), forbidden);
            drop(guard);
            assert_eq!(now(), before);
        }
    }
}
