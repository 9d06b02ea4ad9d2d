"""Series of numbers over time: what a forecaster has to see is a trend, a season, or that the level has changed."""

from datetime import date, timedelta

from generators.rng import Rng

Row = tuple[str, str]

# What each month or weekday is worth beside the average one.
MONTH_FACTORS = [0.82, 0.80, 0.93, 1.01, 1.08, 1.17, 1.26, 1.24, 1.09, 0.98, 0.86, 0.76]
WEEKDAY_FACTORS = [1.08, 1.05, 1.02, 1.04, 1.15, 0.92, 0.74]


def monthly(rng: Rng) -> list[Row]:
    """Twenty years of visitors in thousands: a trend, a season that grows with it, noise."""
    rows = []
    for month in range(240):
        day = date(2004 + month // 12, month % 12 + 1, 1)
        value = (120 + 0.9 * month) * MONTH_FACTORS[month % 12] * (1 + 0.025 * rng.normal())
        rows.append((day.isoformat(), f"{value:.1f}"))
    return rows


def yearly_wave(day: date) -> float:
    """Between -1 in the middle of winter and 1 in the middle of summer: a parabola for each half of the year."""
    phase = ((day.timetuple().tm_yday + 76) % 365) / 182.5
    return -4 * phase * (1 - phase) if phase < 1 else 4 * (phase - 1) * (2 - phase)


def daily(rng: Rng) -> list[Row]:
    """Four years of a daily load: a week, a year, a slow trend, and noise that lasts from one day to the next."""
    rows, disturbance = [], 0.0
    for number in range(1461):
        day = date(2020, 1, 1) + timedelta(days=number)
        disturbance = 0.6 * disturbance + 8 * rng.normal()
        value = (500 + 0.05 * number - 90 * yearly_wave(day)) * WEEKDAY_FACTORS[day.weekday()] + disturbance
        rows.append((day.isoformat(), f"{value:.1f}"))
    return rows


def shift(rng: Rng) -> list[Row]:
    """Two years of daily orders whose level rises by half on 1 July of the second year and stays there."""
    rows = []
    for number in range(730):
        day = date(2022, 1, 1) + timedelta(days=number)
        level = 200 if day < date(2023, 7, 1) else 300
        value = level * WEEKDAY_FACTORS[day.weekday()] + 9 * rng.normal()
        rows.append((day.isoformat(), f"{value:.1f}"))
    return rows
