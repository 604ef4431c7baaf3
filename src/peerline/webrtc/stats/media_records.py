"""The records of media (Identifiers for WebRTC's Statistics API, sections 7.2 to 7.11): those that are filled here."""

from __future__ import annotations

from peerline.webidl import Member, boolean, dom_string, double, unsigned_long
from peerline.webrtc.stats.records import RTCStats, count, long


def _mapping(value: object, what: str) -> dict[str, float]:
    return dict(value)  # type: ignore[call-overload,no-any-return]  # nobody but we make them


class RTCMediaSourceStats(RTCStats):
    """A track that a sender has."""

    TYPE = "media-source"

    trackIdentifier = Member(dom_string, is_required=True)
    kind = Member(dom_string, is_required=True)


class RTCAudioSourceStats(RTCMediaSourceStats):
    """Of sound that is not encoded."""

    audioLevel = Member(double)
    totalAudioEnergy = Member(double)
    totalSamplesDuration = Member(double)


class RTCVideoSourceStats(RTCMediaSourceStats):
    """Of pictures that are not encoded."""

    width = Member(unsigned_long)
    height = Member(unsigned_long)
    frames = Member(unsigned_long)
    framesPerSecond = Member(double)


class RTCRtpStreamStats(RTCStats):
    """One stream of packets (SSRC)."""

    ssrc = Member(unsigned_long, is_required=True)
    kind = Member(dom_string, is_required=True)
    transportId = Member(dom_string)
    codecId = Member(dom_string)


class RTCSentRtpStreamStats(RTCRtpStreamStats):
    """What was sent, by the one who sent it."""

    packetsSent = Member(count)
    bytesSent = Member(count)


class RTCReceivedRtpStreamStats(RTCRtpStreamStats):
    """What was received, by the one who received it."""

    packetsReceived = Member(count)
    packetsLost = Member(long)
    jitter = Member(double)


class RTCOutboundRtpStreamStats(RTCSentRtpStreamStats):
    """A stream that a sender may send. What an encoder would know is absent where frames come encoded."""

    TYPE = "outbound-rtp"

    mid = Member(dom_string)
    mediaSourceId = Member(dom_string)
    remoteId = Member(dom_string)
    rid = Member(dom_string)
    encodingIndex = Member(unsigned_long)
    headerBytesSent = Member(count)
    retransmittedPacketsSent = Member(count)
    retransmittedBytesSent = Member(count)
    rtxSsrc = Member(unsigned_long)
    targetBitrate = Member(double)
    totalEncodedBytesTarget = Member(count)
    frameWidth = Member(unsigned_long)
    frameHeight = Member(unsigned_long)
    framesPerSecond = Member(double)
    framesSent = Member(unsigned_long)
    hugeFramesSent = Member(unsigned_long)
    framesEncoded = Member(unsigned_long)
    keyFramesEncoded = Member(unsigned_long)
    totalEncodeTime = Member(double)
    totalPacketSendDelay = Member(double)
    qualityLimitationReason = Member(dom_string)
    qualityLimitationDurations = Member(_mapping)
    qualityLimitationResolutionChanges = Member(unsigned_long)
    nackCount = Member(unsigned_long)
    firCount = Member(unsigned_long)
    pliCount = Member(unsigned_long)
    encoderImplementation = Member(dom_string)
    powerEfficientEncoder = Member(boolean)
    active = Member(boolean)
    scalabilityMode = Member(dom_string)


class RTCInboundRtpStreamStats(RTCReceivedRtpStreamStats):
    """A stream that comes in. Frames that nobody wanted decoded count as received and not as decoded."""

    TYPE = "inbound-rtp"

    trackIdentifier = Member(dom_string, is_required=True)
    mid = Member(dom_string)
    remoteId = Member(dom_string)
    framesDecoded = Member(unsigned_long)
    keyFramesDecoded = Member(unsigned_long)
    framesDropped = Member(unsigned_long)
    frameWidth = Member(unsigned_long)
    frameHeight = Member(unsigned_long)
    framesPerSecond = Member(double)
    totalDecodeTime = Member(double)
    totalInterFrameDelay = Member(double)
    totalSquaredInterFrameDelay = Member(double)
    lastPacketReceivedTimestamp = Member(double)
    headerBytesReceived = Member(count)
    packetsDiscarded = Member(count)
    bytesReceived = Member(count)
    nackCount = Member(unsigned_long)
    firCount = Member(unsigned_long)
    pliCount = Member(unsigned_long)
    totalProcessingDelay = Member(double)
    jitterBufferDelay = Member(double)
    jitterBufferTargetDelay = Member(double)
    jitterBufferEmittedCount = Member(count)
    jitterBufferMinimumDelay = Member(double)
    totalSamplesReceived = Member(count)
    concealedSamples = Member(count)
    concealmentEvents = Member(count)
    audioLevel = Member(double)
    totalAudioEnergy = Member(double)
    totalSamplesDuration = Member(double)
    framesReceived = Member(unsigned_long)
    decoderImplementation = Member(dom_string)
    powerEfficientDecoder = Member(boolean)
    framesAssembledFromMultiplePackets = Member(unsigned_long)
    totalAssemblyTime = Member(double)
    retransmittedPacketsReceived = Member(count)
    retransmittedBytesReceived = Member(count)
    rtxSsrc = Member(unsigned_long)


class RTCRemoteInboundRtpStreamStats(RTCReceivedRtpStreamStats):
    """What the other side says of a stream of ours."""

    TYPE = "remote-inbound-rtp"

    localId = Member(dom_string)
    roundTripTime = Member(double)
    totalRoundTripTime = Member(double)
    fractionLost = Member(double)
    roundTripTimeMeasurements = Member(count)


class RTCRemoteOutboundRtpStreamStats(RTCSentRtpStreamStats):
    """What the other side says of a stream of its own."""

    TYPE = "remote-outbound-rtp"

    localId = Member(dom_string)
    remoteTimestamp = Member(double)
    reportsSent = Member(count)
    roundTripTime = Member(double)
    totalRoundTripTime = Member(double)
    roundTripTimeMeasurements = Member(count)
