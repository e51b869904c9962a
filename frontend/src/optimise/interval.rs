//! Intervals of ints. Here because what is known of a number is its smallest and largest value. Must stay true: an
//! interval contains every value that the operation can give; only its own overflow, which raises an error, is left out.

/// The smallest and the largest value; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) low: i64,
    pub(super) high: i64,
}

/// Longer than any text can be: addresses have 47 bits, and a character takes at least one byte.
const TEXT_MAX: i64 = 1 << 47;
/// Longer than any list can be: the machine counts elements in 31 bits.
const LIST_MAX: i64 = 1 << 31;

impl Interval {
    /// Any int.
    pub(super) const ALL: Interval = Interval {
        low: i64::MIN,
        high: i64::MAX,
    };
    /// Lengths of texts.
    pub(super) const TEXT: Interval = Interval {
        low: 0,
        high: TEXT_MAX,
    };
    /// Lengths of lists.
    pub(super) const LIST: Interval = Interval {
        low: 0,
        high: LIST_MAX,
    };

    pub(super) const fn one(value: i64) -> Interval {
        Interval {
            low: value,
            high: value,
        }
    }

    pub(super) fn join(self, other: Interval) -> Interval {
        Interval {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The values that both contain, if there are any.
    pub(super) fn meet(self, other: Interval) -> Option<Interval> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Interval { low, high })
    }

    /// The results that fit of all pairs; and whether all fit. `of` must be largest and smallest at the corners.
    fn corners(self, other: Interval, of: impl Fn(i128, i128) -> i128) -> (Interval, bool) {
        let (a, b) = (self, other);
        let corners = [
            (a.low, b.low),
            (a.low, b.high),
            (a.high, b.low),
            (a.high, b.high),
        ];
        let values = corners.map(|(x, y)| of(i128::from(x), i128::from(y)));
        let low = values.into_iter().fold(i128::MAX, i128::min);
        let high = values.into_iter().fold(i128::MIN, i128::max);
        let clamp = |v: i128| v.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let interval = Interval {
            low: clamp(low),
            high: clamp(high),
        };
        (
            interval,
            i128::from(interval.low) == low && i128::from(interval.high) == high,
        )
    }

    /// Sums; whether none can overflow.
    pub(super) fn plus(self, other: Interval) -> (Interval, bool) {
        self.corners(other, |a, b| a + b)
    }

    /// Differences; whether none can overflow.
    pub(super) fn minus(self, other: Interval) -> (Interval, bool) {
        self.corners(other, |a, b| a - b)
    }

    /// Products; whether none can overflow. A product of two intervals is extreme at corners.
    pub(super) fn times(self, other: Interval) -> (Interval, bool) {
        self.corners(other, |a, b| a * b)
    }

    /// Quotients toward zero. By a divisor that keeps its sign they are extreme at corners; otherwise no quotient is
    /// further from zero than what is divided (division by zero raises an error).
    pub(super) fn divided(self, by: Interval) -> Interval {
        if by.low > 0 || by.high < 0 {
            return self.corners(by, |a, b| a / b).0;
        }
        let (negated, _) = Interval::one(0).minus(self);
        self.join(negated)
    }

    /// Remainders: nearer to zero than the divisor and not further than what is divided, with its sign.
    pub(super) fn remainder(self, by: Interval) -> Interval {
        let most = by
            .low
            .unsigned_abs()
            .max(by.high.unsigned_abs())
            .saturating_sub(1);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let low = if self.low >= 0 {
            0
        } else {
            self.low.max(-most)
        };
        let high = if self.high <= 0 {
            0
        } else {
            self.high.min(most)
        };
        Interval { low, high }
    }
}
