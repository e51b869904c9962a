//! What a page finds around it: how fast the network is, whether there is one, whether the user prefers the dark. Here
//! because most users do not sit beside the server. Must stay true: it holds until it is set back.

use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetEmulatedMediaParams};
use chromiumoxide::cdp::browser_protocol::network::{
    EmulateNetworkConditionsByRuleParams, EnableParams, NetworkConditions,
    OverrideNetworkStateParams,
};

use crate::Tab;

/// Bytes a second of a phone in a village.
const SLOW_BYTES: f64 = 50_000.0;
/// And how long everything takes to come back.
const SLOW_LATENCY_MS: f64 = 400.0;

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
}
