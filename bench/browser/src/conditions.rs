//! What a page finds around it: how fast the network is, whether there is one, whether the user prefers the dark, how exact the
//! clock is. Here because most users do not sit beside the server. Must stay true: it holds until it is set back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetEmulatedMediaParams};
use chromiumoxide::cdp::browser_protocol::fetch::{
    self, EventRequestPaused, FulfillRequestParams, GetResponseBodyParams, HeaderEntry,
    RequestPattern, RequestStage,
};
use chromiumoxide::cdp::browser_protocol::network::{
    EmulateNetworkConditionsByRuleParams, EnableParams, NetworkConditions,
    OverrideNetworkStateParams, ResourceType,
};
use chromiumoxide::types::Binary;
use futures_util::StreamExt;

use crate::chromium::shared;
use crate::{Tab, in_time};

/// Bytes a second of a phone in a village.
const SLOW_BYTES: f64 = 50_000.0;
/// And how long everything takes to come back.
const SLOW_LATENCY_MS: f64 = 400.0;

/// What a document says that shares nothing with others.
const ALONE: [(&str, &str); 2] = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
];
/// What an answer says of how it travelled.
const PACKED: [&str; 2] = ["Content-Encoding", "Content-Length"];

impl Tab {
    /// From now on the network is that of a phone with 3G.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn slow_network(&self) {
        self.network(false, SLOW_LATENCY_MS, SLOW_BYTES).await;
    }

    /// From now on there is no network, or there is one again.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn offline(&self, offline: bool) {
        self.network(offline, 0.0, -1.0).await;
    }

    async fn network(&self, offline: bool, latency: f64, bytes: f64) {
        self.command(EnableParams::default()).await;
        let all = NetworkConditions::new("", latency, bytes, bytes);
        let rules = EmulateNetworkConditionsByRuleParams::new(offline, vec![all]);
        self.command(rules).await;
        // What the page is told of it.
        self.command(OverrideNetworkStateParams::new(
            offline, latency, bytes, bytes,
        ))
        .await;
    }

    /// The user prefers the dark, or the light.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        self.command(SetEmulatedMediaParams::builder().feature(feature).build())
            .await;
    }

    /// Documents from now on have a clock that is exact to 5 µs. Browsers give it only to documents that share nothing with
    /// others (elsewhere it is 100 µs, longer than some clicks take), so each of them is given the headers that say so.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn exact_clock(&self) {
        let documents = RequestPattern::builder()
            .resource_type(ResourceType::Document)
            .request_stage(RequestStage::Response)
            .build();
        let paused = self.page.event_listener::<EventRequestPaused>();
        let mut paused = in_time("documents", paused)
            .await
            .expect("documents are told");
        let tab = self.clone();
        shared().runtime.spawn(async move {
            while let Some(event) = paused.next().await {
                tab.set_alone(&event).await;
            }
        });
        self.command(fetch::EnableParams::builder().pattern(documents).build())
            .await;
    }

    // Answers in the place of the server: with the same, and what the document has to say. (Headers that are only added to
    // the server's answer come too late.)
    async fn set_alone(&self, paused: &EventRequestPaused) {
        let id = paused.request_id.clone();
        let whole = self.page.execute(GetResponseBodyParams::new(id.clone()));
        let whole = in_time("a document", whole).await.expect("its body");
        let body = match whole.base64_encoded {
            true => whole.body.clone(),
            false => STANDARD.encode(&whole.body),
        };
        let mut headers = paused.response_headers.clone().unwrap_or_default();
        // The body is not packed any more.
        let dropped = ALONE.map(|(name, _)| name).into_iter().chain(PACKED);
        let dropped: Vec<&str> = dropped.collect();
        headers.retain(|it| {
            !dropped
                .iter()
                .any(|name| it.name.eq_ignore_ascii_case(name))
        });
        headers.extend(ALONE.map(|(name, value)| HeaderEntry::new(name, value)));
        let mut answer = FulfillRequestParams::new(id, paused.response_status_code.unwrap_or(200));
        answer.response_headers = Some(headers);
        answer.body = Some(Binary::from(body));
        self.command(answer).await;
    }
}
