"""The records of getStats (Identifiers for WebRTC's Statistics API, section 7): those that are filled here.

A member that is not known is not in the mapping, and None as an attribute. Counts are since the beginning, sizes in
bytes, times in seconds, timestamps in milliseconds since 1970.
"""

from __future__ import annotations

from typing import ClassVar

from peerline.webidl import Dictionary, Member, boolean, dom_string, double, integer, nullable, unsigned_long

count = integer(64)
long = integer(32, is_signed=True)


class RTCStats(Dictionary):
    """What all have in common."""

    TYPE: ClassVar[str] = ""

    timestamp = Member(double, is_required=True)
    type = Member(dom_string, is_required=True)
    id = Member(dom_string, is_required=True)


class RTCPeerConnectionStats(RTCStats):
    """The connection."""

    TYPE = "peer-connection"

    dataChannelsOpened = Member(unsigned_long)
    dataChannelsClosed = Member(unsigned_long)


class RTCTransportStats(RTCStats):
    """One data path: an RTCDtlsTransport with its RTCIceTransport."""

    TYPE = "transport"

    packetsSent = Member(count)
    packetsReceived = Member(count)
    bytesSent = Member(count)
    bytesReceived = Member(count)
    iceRole = Member(dom_string)
    iceLocalUsernameFragment = Member(dom_string)
    dtlsState = Member(dom_string, is_required=True)
    iceState = Member(dom_string)
    selectedCandidatePairId = Member(dom_string)
    localCertificateId = Member(dom_string)
    remoteCertificateId = Member(dom_string)
    tlsVersion = Member(dom_string)
    dtlsCipher = Member(dom_string)
    dtlsRole = Member(dom_string)
    srtpCipher = Member(dom_string)
    selectedCandidatePairChanges = Member(unsigned_long)


class RTCIceCandidateStats(RTCStats):
    """A candidate: "local-candidate" or "remote-candidate"."""

    transportId = Member(dom_string, is_required=True)
    address = Member(nullable(dom_string))
    port = Member(long)
    protocol = Member(dom_string)
    candidateType = Member(dom_string, is_required=True)
    priority = Member(count)
    url = Member(dom_string)
    relayProtocol = Member(dom_string)
    foundation = Member(dom_string)
    relatedAddress = Member(dom_string)
    relatedPort = Member(long)
    usernameFragment = Member(dom_string)
    tcpType = Member(dom_string)


class RTCIceCandidatePairStats(RTCStats):
    """A pair of candidates that was tried."""

    TYPE = "candidate-pair"

    transportId = Member(dom_string, is_required=True)
    localCandidateId = Member(dom_string, is_required=True)
    remoteCandidateId = Member(dom_string, is_required=True)
    state = Member(dom_string, is_required=True)
    nominated = Member(boolean)
    packetsSent = Member(count)
    packetsReceived = Member(count)
    bytesSent = Member(count)
    bytesReceived = Member(count)
    lastPacketSentTimestamp = Member(double)
    lastPacketReceivedTimestamp = Member(double)
    totalRoundTripTime = Member(double)
    currentRoundTripTime = Member(double)
    availableOutgoingBitrate = Member(double)
    requestsReceived = Member(count)
    requestsSent = Member(count)
    responsesReceived = Member(count)
    responsesSent = Member(count)
    consentRequestsSent = Member(count)
    packetsDiscardedOnSend = Member(unsigned_long)
    bytesDiscardedOnSend = Member(count)


class RTCCertificateStats(RTCStats):
    """A certificate, ours or theirs."""

    TYPE = "certificate"

    fingerprint = Member(dom_string, is_required=True)
    fingerprintAlgorithm = Member(dom_string, is_required=True)
    base64Certificate = Member(dom_string, is_required=True)
    issuerCertificateId = Member(dom_string)


class RTCDataChannelStats(RTCStats):
    """A data channel."""

    TYPE = "data-channel"

    label = Member(dom_string)
    protocol = Member(dom_string)
    dataChannelIdentifier = Member(integer(16))
    state = Member(dom_string, is_required=True)
    messagesSent = Member(unsigned_long)
    bytesSent = Member(count)
    messagesReceived = Member(unsigned_long)
    bytesReceived = Member(count)


class RTCCodecStats(RTCStats):
    """A codec that a stream is negotiated with."""

    TYPE = "codec"

    payloadType = Member(unsigned_long, is_required=True)
    transportId = Member(dom_string, is_required=True)
    mimeType = Member(dom_string, is_required=True)
    clockRate = Member(unsigned_long)
    channels = Member(unsigned_long)
    sdpFmtpLine = Member(dom_string)
