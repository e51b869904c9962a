//! The host family: printing, logging, the time of the request.

mod support;

use flin_bytecode::Class;
use flin_vm::HostValue::Int;
use flin_vm::LogLevel;
use support::*;

#[test]
fn print_log_and_now_ask_the_host() {
    let (program, func) = one(&[], Some(Class::I64), |mb, b| {
        let (x, now) = (text(mb, b, "hällo"), b.temp(Class::I64));
        emit!(b, Print, x);
        emit!(b, Log, x, 0);
        emit!(b, Log, x, 1);
        emit!(b, Log, x, 2);
        emit!(b, Now, now);
        emit!(b, RetI64, now);
    });
    let (result, host) = call_on(
        &program,
        func,
        &[],
        &ModelHost {
            clock_ms: 1234,
            ..ModelHost::default()
        },
    );
    assert_eq!(result, Ok(Int(1234)));
    assert_eq!(host.printed, ["hällo"]);
    let levels: Vec<LogLevel> = host.logged.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [LogLevel::Info, LogLevel::Warning, LogLevel::Error]);
}

#[test]
fn printing_what_is_no_text_is_an_error() {
    let (program, func) = one(&[Class::Ref], None, |_, b| {
        let x = b.param(0);
        emit!(b, Print, x);
        emit!(b, Ret);
    });
    assert_eq!(
        kind(&call(&program, func, &[flin_vm::HostValue::List(vec![])])),
        "TypeError"
    );
}
