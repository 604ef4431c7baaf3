"""How large pictures are sent for the bitrate that there is: with an encoder that exists in numbers alone."""

from __future__ import annotations

from peerline.media.quality_scaler import QualityScaler

WIDTH, HEIGHT, RATE = 1280, 720, 30.0


class Encoder:
    """Needs so many bits a pixel at least, and leaves pictures out that it has no room for."""

    def __init__(self, bits_per_pixel: float, bitrate_bps: int) -> None:
        self.scaler = QualityScaler()
        self.bits_per_pixel = bits_per_pixel
        self.bitrate_bps = bitrate_bps
        self._now_s = 0.0
        self._debt_bits = 0.0
        self.scaler.begin(WIDTH * HEIGHT, bitrate_bps)

    def run(self, seconds: float) -> tuple[float, float]:
        """Bits and pictures a second."""
        bits = pictures = 0.0
        for _ in range(int(seconds * RATE)):
            self._now_s += 1 / RATE
            self._debt_bits = max(0.0, self._debt_bits - self.bitrate_bps / RATE)
            if self._debt_bits > self.bitrate_bps * 0.3:
                self.scaler.saw(self._now_s, None, self.bitrate_bps)
                continue
            pixels = WIDTH * HEIGHT / self.scaler.scale_down_by**2
            size = max(self.bits_per_pixel * pixels, min(self.bitrate_bps / RATE, 4 * pixels))
            self._debt_bits += size
            bits += size
            pictures += 1
            self.scaler.saw(self._now_s, int(size / 8), self.bitrate_bps)
        return bits / seconds, pictures / seconds


def test_pictures_that_are_hard_to_encode_become_smaller_until_they_move() -> None:
    encoder = Encoder(0.7, 500_000)
    encoder.run(5)
    bitrate, rate = encoder.run(5)
    assert rate > 12
    assert 400_000 < bitrate < 550_000
    assert encoder.scaler.scale_down_by > 1.5


def test_easy_ones_begin_small_where_little_is_known_and_grow() -> None:
    encoder = Encoder(0.01, 300_000)
    assert encoder.scaler.scale_down_by > 1.5
    encoder.bitrate_bps = 2_500_000
    encoder.run(20)
    assert encoder.scaler.scale_down_by == 1.0


def test_with_enough_bitrate_nothing_is_made_smaller() -> None:
    encoder = Encoder(0.05, 2_500_000)
    encoder.run(10)
    assert encoder.scaler.scale_down_by == 1.0
    assert encoder.scaler.changes == 0


def test_it_does_not_go_to_and_fro_for_ever() -> None:
    encoder = Encoder(0.12, 1_000_000)
    encoder.run(60)
    before = encoder.scaler.changes
    encoder.run(60)
    assert encoder.scaler.changes - before <= 6


def test_times_that_jump_and_stand_still_break_nothing() -> None:
    scaler = QualityScaler()
    scaler.begin(WIDTH * HEIGHT, 100_000)
    for time_s in (5.0, 5.0, 5.0, 1.0, 1.5, 1000.0, 1000.2, 1000.6, 1001.2, 1001.2):
        scaler.saw(time_s, 1_000_000, 100_000)
        scaler.saw(time_s, None, 100_000)
    assert 1.0 <= scaler.scale_down_by <= 16.0
