//! What a page finds around it: how fast the network is, whether there is one, whether the user prefers the dark, how exact the
//! clock is. Here because most users do not sit beside the server. Must stay true: it holds until it is set back.

use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetEmulatedMediaParams};
use chromiumoxide::cdp::browser_protocol::fetch::{
    self, ContinueResponseParams, EventRequestPaused, HeaderEntry, RequestPattern, RequestStage,
};
use chromiumoxide::cdp::browser_protocol::network::{
    EmulateNetworkConditionsByRuleParams, EnableParams, NetworkConditions,
    OverrideNetworkStateParams, ResourceType,
};
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
        let page = self.page.clone();
        shared().runtime.spawn(async move {
            while let Some(event) = paused.next().await {
                let mut headers = event.response_headers.clone().unwrap_or_default();
                for (name, value) in ALONE {
                    headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
                    headers.push(HeaderEntry::new(name, value));
                }
                let mut answer = ContinueResponseParams::new(event.request_id.clone());
                answer.response_code = event.response_status_code;
                answer.response_headers = Some(headers);
                // A document that did not come is noticed by who waits for it.
                if let Err(error) = page.execute(answer).await {
                    eprintln!("browser: {error}");
                }
            }
        });
        self.command(fetch::EnableParams::builder().pattern(documents).build())
            .await;
    }
}
