//! Functions that compute a scalar from scalars, never fail and need no machine. Here, apart from the others, because the
//! dispatch loop calls them without the ceremony of a library call. Must stay true: these are their only bodies
//! (`rows.rs` comes here, too), and each looks at scalar arguments only.

use flin_bytecode::{Bank, Native};

use super::number::{float_min, sign};
use crate::frame::Regs;

/// From the window of the call to the bits of the result.
pub(crate) type PlainBody = fn(Regs) -> u64;

fn int(window: Regs, n: usize) -> i64 {
    window.slot(Bank::Scalar, n) as i64
}

fn float(window: Regs, n: usize) -> f64 {
    f64::from_bits(window.slot(Bank::Scalar, n))
}

macro_rules! plain {
    ($window:ident, $($native:ident $(| $also:ident)* => $body:expr,)*) => {
        /// The body of a row, if it is such a function.
        pub(crate) fn plain(native: Native) -> Option<PlainBody> {
            match native {
                $(Native::$native $(| Native::$also)* => Some(|$window| bits($body)),)*
                _ => None,
            }
        }
    };
}

/// A result.
trait Scalar {
    fn bits(self) -> u64;
}

impl Scalar for i64 {
    fn bits(self) -> u64 {
        self as u64
    }
}

impl Scalar for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

impl Scalar for bool {
    fn bits(self) -> u64 {
        u64::from(self)
    }
}

fn bits(value: impl Scalar) -> u64 {
    value.bits()
}

plain! { w,
    IntMin => int(w, 0).min(int(w, 1)),
    IntMax => int(w, 0).max(int(w, 1)),
    IntFloor | IntCeil | IntRound | IntToInt => int(w, 0),
    IntSign | DurationSign => int(w, 0).signum(),
    BoolToInt => i64::from(w.slot(Bank::Scalar, 0) != 0),
    FloatAbs => float(w, 0).abs(),
    FloatMin => float_min(float(w, 0), float(w, 1)),
    FloatMax => -float_min(-float(w, 0), -float(w, 1)),
    FloatSign => sign(float(w, 0)),
    FloatIsNan => float(w, 0).is_nan(),
    FloatToFloat => float(w, 0),
    FloatSqrt => float(w, 0).sqrt(),
    FloatPow => float(w, 0).powf(float(w, 1)),
    FloatExp => float(w, 0).exp(),
    FloatLn => float(w, 0).ln(),
    FloatLog10 => float(w, 0).log10(),
    FloatSin => float(w, 0).sin(),
    FloatCos => float(w, 0).cos(),
    FloatTan => float(w, 0).tan(),
    FloatAsin => float(w, 0).asin(),
    FloatAcos => float(w, 0).acos(),
    FloatAtan => float(w, 0).atan(),
    FloatAtan2 => float(w, 0).atan2(float(w, 1)),
    FloatHypot => float(w, 0).hypot(float(w, 1)),
}
