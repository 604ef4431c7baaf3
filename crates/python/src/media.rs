//! Media of a data path: plans and frames in, frames and figures out.

use std::time::{Duration, Instant};

use peerline_engine::rtp::payload::Format;
use peerline_engine::rtp::{
    AudioLevel, Codec, ExtensionIds, Frame, MediaStats, Plan, ReceivedFrame, ReceivedStats, Section, Sending,
    SentStats, VideoOrientation,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

/// See `peerline.engine.media.MediaPlan`, which says what each of them means.
#[derive(FromPyObject)]
pub(crate) struct PlanIn {
    cname: String,
    has_reduced_size: bool,
    sections: Vec<SectionIn>,
}

/// See `peerline.engine.media.SectionPlan`.
#[derive(FromPyObject)]
struct SectionIn {
    section: u32,
    mid: String,
    is_video: bool,
    extensions: Vec<(String, u8)>,
    receive: Vec<CodecIn>,
    sources: Vec<(u32, Option<u32>)>,
    playout_delay_ms: u32,
    send: Option<SendingIn>,
}

/// See `peerline.engine.media.SendingPlan`.
#[derive(FromPyObject)]
struct SendingIn {
    ssrc: u32,
    rtx_ssrc: Option<u32>,
    codecs: Vec<CodecIn>,
    max_bitrate_bps: Option<u64>,
}

/// See `peerline.engine.media.CodecPlan`.
#[derive(FromPyObject)]
struct CodecIn {
    payload_type: u8,
    name: String,
    clock_hz: u32,
    rtx: Option<u8>,
    feedback: Vec<String>,
}

/// The bytes, the timestamp, the payload type, and what is said of loudness and rotation.
pub(crate) type FrameIn = (PyBackedBytes, u32, u8, Option<u8>, Option<u16>);

impl PlanIn {
    pub(crate) fn check(self) -> PyResult<Plan> {
        Ok(Plan {
            cname: self.cname,
            has_reduced_size: self.has_reduced_size,
            sections: self.sections.into_iter().map(SectionIn::check).collect::<PyResult<_>>()?,
        })
    }
}

impl SectionIn {
    fn check(self) -> PyResult<Section> {
        let mut extensions = ExtensionIds::default();
        for (name, id) in self.extensions {
            let slot = match &*name {
                "mid" => &mut extensions.mid,
                "transport_sequence" => &mut extensions.transport_sequence,
                "absolute_send_time" => &mut extensions.absolute_send_time,
                "audio_level" => &mut extensions.audio_level,
                "orientation" => &mut extensions.orientation,
                "playout_delay" => &mut extensions.playout_delay,
                other => return Err(PyValueError::new_err(format!("{other:?} is no header extension"))),
            };
            *slot = Some(id);
        }
        let send = match self.send {
            Some(send) => Some(Sending {
                ssrc: send.ssrc,
                rtx_ssrc: send.rtx_ssrc,
                codecs: codecs(send.codecs)?,
                max_bitrate_bps: send.max_bitrate_bps,
            }),
            None => None,
        };
        Ok(Section {
            key: self.section,
            mid: self.mid,
            is_video: self.is_video,
            extensions,
            receive: codecs(self.receive)?,
            sources: self.sources,
            playout_delay: Duration::from_millis(self.playout_delay_ms.into()),
            send,
        })
    }
}

fn codecs(given: Vec<CodecIn>) -> PyResult<Vec<Codec>> {
    given.into_iter().map(CodecIn::check).collect()
}

impl CodecIn {
    fn check(self) -> PyResult<Codec> {
        let format = match &*self.name {
            "opus" | "pcmu" | "pcma" | "g722" | "telephone-event" => Format::Whole,
            "vp8" => Format::Vp8,
            "vp9" => Format::Vp9,
            "h264" => Format::H264,
            "av1" => Format::Av1,
            "red" => Format::Red,
            other => return Err(PyValueError::new_err(format!("no payload format for {other:?}"))),
        };
        let has = |wanted: &str| self.feedback.iter().any(|one| one == wanted);
        Ok(Codec {
            payload_type: self.payload_type,
            format,
            clock_hz: self.clock_hz,
            rtx: self.rtx,
            has_nack: has("nack"),
            has_picture_loss: has("nack pli"),
            has_full_intra: has("ccm fir"),
            has_transport_feedback: has("transport-cc"),
            has_remb: has("goog-remb"),
        })
    }
}

pub(crate) fn frame((bytes, timestamp, payload_type, below_full_db, rotation_degrees): FrameIn) -> Frame {
    Frame {
        payload_type,
        timestamp,
        bytes: bytes.to_vec(),
        audio_level: below_full_db.map(|below_full_db| AudioLevel { is_voice: below_full_db < 60, below_full_db }),
        orientation: rotation_degrees.map(|rotation_degrees| VideoOrientation {
            is_back_camera: false,
            is_mirrored: false,
            rotation_degrees,
        }),
    }
}

/// Each as `peerline.engine.media.ReceivedFrame` has them.
pub(crate) fn frames<'py>(py: Python<'py>, frames: Vec<ReceivedFrame>) -> PyResult<Bound<'py, PyList>> {
    let now = Instant::now();
    let told = frames.into_iter().map(|frame| received(py, frame, now)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, told)
}

fn received<'py>(py: Python<'py>, frame: ReceivedFrame, now: Instant) -> PyResult<Bound<'py, PyTuple>> {
    (
        PyBytes::new(py, &frame.bytes),
        frame.timestamp,
        frame.payload_type,
        frame.ssrc,
        frame.is_key,
        frame.lost_before,
        now.saturating_duration_since(frame.arrived).as_secs_f64(),
        frame.audio_level.map(|level| level.below_full_db),
        frame.orientation.map(|orientation| orientation.rotation_degrees),
        frame.sources,
    )
        .into_pyobject(py)
}

/// Flat records: of the transport, of what is sent, of what is received.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &MediaStats) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    record.set_item("target_bps", stats.target_bps)?;
    record.set_item("round_trip_s", stats.round_trip.map(|round_trip| round_trip.as_secs_f64()))?;
    record.set_item("unrouted", stats.unrouted)?;
    record.set_item("malformed", stats.malformed)?;
    let sent = stats.sent.iter().map(|one| sent_record(py, one)).collect::<PyResult<Vec<_>>>()?;
    record.set_item("sent", sent)?;
    let received = stats.received.iter().map(|one| received_record(py, one)).collect::<PyResult<Vec<_>>>()?;
    record.set_item("received", received)?;
    Ok(record)
}

fn sent_record<'py>(py: Python<'py>, sent: &SentStats) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    record.set_item("section", sent.key)?;
    record.set_item("ssrc", sent.ssrc)?;
    record.set_item("rtx_ssrc", sent.rtx_ssrc)?;
    record.set_item("payload_type", sent.counts.payload_type)?;
    for (name, value) in [
        ("frames", sent.counts.frames),
        ("packets", sent.counts.packets),
        ("bytes", sent.counts.bytes),
        ("header_bytes", sent.counts.header_bytes),
        ("repeated_packets", sent.counts.repeated_packets),
        ("repeated_bytes", sent.counts.repeated_bytes),
        ("dropped_frames", sent.counts.dropped_frames),
        ("nacks", sent.counts.nacks),
        ("picture_losses", sent.counts.picture_losses),
        ("full_intras", sent.counts.full_intras),
    ] {
        record.set_item(name, value)?;
    }
    record.set_item("total_waiting_s", sent.counts.total_waiting.as_secs_f64())?;
    if let Some(remote) = sent.remote {
        let told = PyDict::new(py);
        told.set_item("lost", remote.lost)?;
        told.set_item("fraction_lost", f64::from(remote.fraction_lost) / 256.0)?;
        told.set_item("jitter_s", remote.jitter.as_secs_f64())?;
        told.set_item("round_trip_s", remote.round_trip.map(|round_trip| round_trip.as_secs_f64()))?;
        told.set_item("round_trips", remote.round_trips)?;
        told.set_item("total_round_trip_s", remote.total_round_trip.as_secs_f64())?;
        record.set_item("remote", told)?;
    }
    Ok(record)
}

fn received_record<'py>(py: Python<'py>, received: &ReceivedStats) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    record.set_item("section", received.key)?;
    record.set_item("ssrc", received.ssrc)?;
    record.set_item("payload_type", received.counts.payload_type)?;
    record.set_item("lost", received.lost)?;
    record.set_item("jitter_s", received.jitter.as_secs_f64())?;
    record.set_item("silent_for_s", received.silent_for.map(|silent| silent.as_secs_f64()))?;
    for (name, value) in [
        ("packets", received.packets),
        ("bytes", received.bytes),
        ("header_bytes", received.header_bytes),
        ("frames", received.counts.frames),
        ("key_frames", received.counts.key_frames),
        ("frames_dropped", received.counts.frames_dropped),
        ("frames_joined", received.counts.frames_joined),
        ("frames_given", received.counts.frames_given),
        ("packets_discarded", received.counts.packets_discarded),
        ("packets_repaired", received.counts.packets_repaired),
        ("bytes_repaired", received.counts.bytes_repaired),
        ("nacks", received.counts.nacks),
        ("picture_losses", received.counts.picture_losses),
        ("full_intras", received.counts.full_intras),
    ] {
        record.set_item(name, value)?;
    }
    record.set_item("total_joining_s", received.counts.total_joining.as_secs_f64())?;
    record.set_item("total_waiting_s", received.counts.total_waiting.as_secs_f64())?;
    record.set_item("total_target_s", received.counts.total_target.as_secs_f64())?;
    if let Some((age, info, count)) = received.sender_report {
        let told = PyDict::new(py);
        told.set_item("age_s", age.as_secs_f64())?;
        told.set_item("at_s", since_1970(info.ntp))?;
        told.set_item("timestamp", info.timestamp)?;
        told.set_item("packets", info.packets)?;
        told.set_item("bytes", info.octets)?;
        told.set_item("count", count)?;
        record.set_item("sender_report", told)?;
    }
    Ok(record)
}

/// A moment of RTCP's clock, which counts from 1900.
fn since_1970(ntp: u64) -> f64 {
    let since = Duration::from_secs(ntp >> 32).as_secs_f64() + (ntp & 0xffff_ffff) as f64 / 4_294_967_296.0;
    since - 2_208_988_800.0
}
