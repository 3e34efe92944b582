//! What operators watch: counts and times, without content and with labels from closed sets (threat F15).
//!
//! The text is OpenMetrics 1.0 (`application/openmetrics-text`), which Prometheus reads. Times are in seconds. The names are
//! a stable interface: `docs/reference/metrics.md` lists them, and a test holds it to this file. Read [`Metrics`] first.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ordain_core::assurance::{Assurance, Kind};
use ordain_core::detect::Trouble;
use ordain_core::record::Result as Ended;
use ordain_core::verdict::Verdict;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::identity::{Fault, Identity};
use crate::store::Measure;

/// The gateway's metrics. Handles are shared by all workers and cheap to use.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: Family<ExchangeLabels, Counter>,
    unauthenticated: Counter,
    locked_out: Counter,
    refused_tokens: Family<ReasonLabels, Counter>,
    key_fetches: Family<FetchLabels, Counter>,
    keys_fetched: Family<IssuerLabels, Gauge>,
    not_recorded: Counter,
    tokens: Family<TokenLabels, Counter>,
    cost: Counter,
    over_budget: Family<MeasureLabels, Counter>,
    unavailable_detectors: Family<TroubleLabels, Counter>,
    assurance_gaps: Family<KindLabels, Gauge>,
    refused_endpoints: Gauge,
    break_glass_active: Gauge,
    break_glass_unreviewed: Gauge,
    break_glass_records: Family<GlassLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    /// Exchanges that have begun and not ended.
    pub(crate) open: Gauge,
    /// Connections from clients.
    pub(crate) connections: Gauge,
    policy: Family<PolicyLabels, Gauge>,
    stages: Family<StageLabels, Histogram, fn() -> Histogram>,
    stream_held: Histogram,
    /// Traces that were not sent.
    pub(crate) dropped_traces: Counter,
    up_since: Gauge<f64, AtomicU64>,
}

/// What an exchange is counted under. Each label has a closed set of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    /// The id of the wire; empty where none reads the endpoint.
    wire: &'static str,
    /// The strictest verdict that acted.
    verdict: &'static str,
    /// How it ended.
    ended: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    /// Of the request, or of the answer.
    half: &'static str,
    /// Whether the provider stated them.
    counted: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MeasureLabels {
    measure: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GlassLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    issuer: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TroubleLabels {
    trouble: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabels {
    digest: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

/// The parts of an exchange whose time is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Reading, searching and judging bodies, request and answer together.
    Inspect,
    /// Waiting for one record to become durable.
    Record,
    /// From sending the request upstream to the head of the answer.
    Upstream,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Inspect, Self::Record, Self::Upstream];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Record => "record",
            Self::Upstream => "upstream",
        }
    }
}

/// How an exchange ended, with those that were turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Turned away before anything was sent.
    Refused,
    /// As its outcome says.
    Outcome(Ended),
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Outcome(ended) => ended.as_str(),
        }
    }
}

impl Metrics {
    /// Metrics that count from nothing.
    #[must_use]
    pub fn new(at: jiff::Timestamp) -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::with_prefix("ordain"),
            exchanges: Family::default(),
            unauthenticated: Counter::default(),
            locked_out: Counter::default(),
            refused_tokens: Family::default(),
            key_fetches: Family::default(),
            keys_fetched: Family::default(),
            not_recorded: Counter::default(),
            tokens: Family::default(),
            cost: Counter::default(),
            over_budget: Family::default(),
            unavailable_detectors: Family::default(),
            assurance_gaps: Family::default(),
            refused_endpoints: Gauge::default(),
            break_glass_active: Gauge::default(),
            break_glass_unreviewed: Gauge::default(),
            break_glass_records: Family::default(),
            reloads: Family::default(),
            open: Gauge::default(),
            connections: Gauge::default(),
            policy: Family::default(),
            stages: Family::new_with_constructor(seconds),
            stream_held: seconds(),
            dropped_traces: Counter::default(),
            up_since: Gauge::default(),
        };
        metrics.up_since.set(at.as_millisecond() as f64 / 1000.0);
        // Every series that an alert would look for is there from the start, at nothing.
        for stage in Stage::ALL {
            let _ = metrics.stages.get_or_create(&StageLabels { stage: stage.as_str() });
        }
        for measure in Measure::ALL {
            let measure = measure.as_str();
            let _ = metrics.over_budget.get_or_create(&MeasureLabels { measure });
        }
        for trouble in Trouble::ALL {
            let trouble = trouble.as_str();
            let _ = metrics.unavailable_detectors.get_or_create(&TroubleLabels { trouble });
        }
        for result in RELOADS {
            let _ = metrics.reloads.get_or_create(&ReloadLabels { result });
        }
        for result in SPOOLED {
            let _ = metrics.break_glass_records.get_or_create(&GlassLabels { result });
        }
        for fault in Fault::ALL {
            let reason = fault.as_str();
            let _ = metrics.refused_tokens.get_or_create(&ReasonLabels { reason });
        }
        metrics.register();
        Arc::new(metrics)
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("exchanges", "Exchanges that have ended.", self.exchanges.clone());
        registry.register(
            "unauthenticated_requests",
            "Requests without a valid credential.",
            self.unauthenticated.clone(),
        );
        registry.register(
            "locked_out_requests",
            "Requests with a wrong key that were told to wait, after many others.",
            self.locked_out.clone(),
        );
        registry.register("tokens", "Tokens of exchanges that have ended.", self.tokens.clone());
        registry.register(
            "cost_micro_units",
            "What exchanges that have ended cost, in millionths of the currency's unit.",
            self.cost.clone(),
        );
        registry.register(
            "over_budget_requests",
            "Requests that were turned away by a budget.",
            self.over_budget.clone(),
        );
        registry.register(
            "refused_tokens",
            "Tokens of issuers that let nobody in, by reason.",
            self.refused_tokens.clone(),
        );
        registry.register(
            "issuer_key_fetches",
            "Attempts to fetch an issuer's keys.",
            self.key_fetches.clone(),
        );
        registry.register(
            "issuer_keys_fetched_time_seconds",
            "When an issuer's keys were last fetched, in seconds since the Unix epoch; 0 for never.",
            self.keys_fetched.clone(),
        );
        registry.register(
            "unrecorded_requests",
            "Requests that were not carried out because they could not be recorded.",
            self.not_recorded.clone(),
        );
        registry.register(
            "break_glass_active",
            "1 while records are in the spool of the break-glass that the ledger has not taken, else 0.",
            self.break_glass_active.clone(),
        );
        registry.register(
            "break_glass_unreviewed",
            "1 from the first use of the break-glass until somebody has reviewed it, else 0.",
            self.break_glass_unreviewed.clone(),
        );
        registry.register(
            "break_glass_records",
            "Records that the ledger did not take: spooled, refused by the spool, and taken over afterwards.",
            self.break_glass_records.clone(),
        );
        registry.register(
            "failed_detections",
            "Bodies in which a detector could not do its work, by how it came not to.",
            self.unavailable_detectors.clone(),
        );
        registry.register(
            "assurance_gaps",
            "Fields of routes that some clause of the policy in force cannot act on, by what is amiss.",
            self.assurance_gaps.clone(),
        );
        registry.register(
            "refused_endpoints",
            "Endpoints that are refused since a clause of the policy in force cannot act there.",
            self.refused_endpoints.clone(),
        );
        registry.register(
            "reloads",
            "Changes of the folder, taken into force or not.",
            self.reloads.clone(),
        );
        registry.register(
            "open_exchanges",
            "Exchanges that have begun and not ended.",
            self.open.clone(),
        );
        registry.register("connections", "Connections from clients.", self.connections.clone());
        registry.register("policy", "The policy in force, always 1.", self.policy.clone());
        registry.register("stage_seconds", "Time for a part of an exchange.", self.stages.clone());
        registry.register(
            "stream_held_seconds",
            "From the first byte of a streamed answer to the first byte that was released.",
            self.stream_held.clone(),
        );
        registry.register(
            "dropped_traces",
            "Traces of exchanges that were not sent, since the collector was away or too slow.",
            self.dropped_traces.clone(),
        );
        registry.register(
            "start_time_seconds",
            "When the gateway started, in seconds since the Unix epoch.",
            self.up_since.clone(),
        );
    }

    /// The text of all metrics.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn ended(&self, wire: &'static str, verdict: Verdict, end: End) {
        let labels = ExchangeLabels {
            wire,
            verdict: verdict.as_str(),
            ended: end.as_str(),
        };
        self.exchanges.get_or_create(&labels).inc();
    }

    pub(crate) fn unauthenticated(&self) {
        self.unauthenticated.inc();
    }

    pub(crate) fn locked_out(&self) {
        self.locked_out.inc();
    }

    pub(crate) fn over_budget(&self, measure: Measure) {
        let measure = measure.as_str();
        self.over_budget.get_or_create(&MeasureLabels { measure }).inc();
    }

    /// Notes what an exchange used, and what it cost in millionths of the currency's unit.
    pub(crate) fn used(&self, input: u64, output: u64, estimated: bool, cost: Option<u64>) {
        let counted = if estimated { "estimated" } else { "stated" };
        for (half, tokens) in [("request", input), ("answer", output)] {
            self.tokens.get_or_create(&TokenLabels { half, counted }).inc_by(tokens);
        }
        self.cost.inc_by(cost.unwrap_or(0));
    }

    pub(crate) fn refused_token(&self, fault: Fault) {
        let labels = ReasonLabels { reason: fault.as_str() };
        self.refused_tokens.get_or_create(&labels).inc();
    }

    /// Notes an attempt to fetch an issuer's keys, and when they were last fetched.
    pub(crate) fn fetched_keys(&self, issuer: &str, at: Option<jiff::Timestamp>, good: bool) {
        let [fetched, failed] = FETCHES;
        let result = if good { fetched } else { failed };
        let labels = FetchLabels {
            issuer: issuer.to_owned(),
            result,
        };
        self.key_fetches.get_or_create(&labels).inc();
        let labels = IssuerLabels {
            issuer: issuer.to_owned(),
        };
        self.keys_fetched
            .get_or_create(&labels)
            .set(at.map_or(0, |at| at.as_second()));
    }

    /// Notes which issuers there are from now on.
    pub(crate) fn issuers(&self, identity: Option<&Identity>) {
        self.keys_fetched.clear();
        for one in identity.map(Identity::issuers).unwrap_or_default() {
            let issuer = one.issuer().issuer.as_str().to_owned();
            for result in FETCHES {
                let issuer = issuer.clone();
                let _ = self.key_fetches.get_or_create(&FetchLabels { issuer, result });
            }
            let at = one.fetched().map_or(0, |at| at.as_second());
            self.keys_fetched.get_or_create(&IssuerLabels { issuer }).set(at);
        }
    }

    pub(crate) fn not_recorded(&self) {
        self.not_recorded.inc();
    }

    /// Notes how the break-glass stands.
    pub(crate) fn break_glass(&self, active: bool, unreviewed: bool) {
        self.break_glass_active.set(i64::from(active));
        self.break_glass_unreviewed.set(i64::from(unreviewed));
    }

    /// Counts records that were offered to the spool.
    pub(crate) fn break_glass_records(&self, spooled: bool, count: u64) {
        let [taken_in, refused, _] = SPOOLED;
        let result = if spooled { taken_in } else { refused };
        self.break_glass_records
            .get_or_create(&GlassLabels { result })
            .inc_by(count);
    }

    /// Counts spooled records that the ledger has.
    pub(crate) fn break_glass_taken(&self, count: u64) {
        let [.., result] = SPOOLED;
        self.break_glass_records
            .get_or_create(&GlassLabels { result })
            .inc_by(count);
    }

    pub(crate) fn failed_detection(&self, trouble: Trouble) {
        let trouble = trouble.as_str();
        self.unavailable_detectors
            .get_or_create(&TroubleLabels { trouble })
            .inc();
    }

    pub(crate) fn took(&self, stage: Stage, time: Duration) {
        let labels = StageLabels { stage: stage.as_str() };
        self.stages.get_or_create(&labels).observe(time.as_secs_f64());
    }

    pub(crate) fn held(&self, time: Duration) {
        self.stream_held.observe(time.as_secs_f64());
    }

    /// Notes which policy is in force.
    pub(crate) fn policy(&self, digest: String, version: String) {
        self.policy.clear();
        self.policy.get_or_create(&PolicyLabels { digest, version }).set(1);
    }

    /// Notes what the policy in force cannot do.
    pub(crate) fn assured(&self, assurance: &Assurance, refused: usize) {
        let set = |kind: &'static str, number: usize| {
            let gauge = self.assurance_gaps.get_or_create(&KindLabels { kind });
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        };
        for kind in Kind::ALL {
            set(
                kind.as_str(),
                assurance.gaps.iter().filter(|gap| gap.kind == *kind).count(),
            );
        }
        set(MISSING, assurance.missing.len());
        self.refused_endpoints.set(i64::try_from(refused).unwrap_or(i64::MAX));
    }

    pub(crate) fn reloaded(&self, taken: bool) {
        let [good, bad] = RELOADS;
        let result = if taken { good } else { bad };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }
}

/// The two ends of an attempt to fetch keys.
const FETCHES: [&str; 2] = ["fetched", "failed"];

/// What no detector states, beside the kinds of gaps.
const MISSING: &str = "missing";
/// What becomes of a record that the ledger does not take, and of one that was spooled.
const SPOOLED: [&str; 3] = ["spooled", "refused", "taken-over"];

/// The two ends of a reload.
const RELOADS: [&str; 2] = ["taken", "unusable"];

/// The media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Buckets from 50 µs to 100 s, three to a power of ten.
fn seconds() -> Histogram {
    Histogram::new([
        0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
        30.0, 100.0,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Arc<Metrics> {
        Metrics::new("2026-12-01T00:00:00Z".parse().expect("a moment"))
    }

    #[test]
    fn what_is_counted_is_told() {
        let metrics = metrics();
        metrics.ended("openai-chat", Verdict::Redact, End::Outcome(Ended::Completed));
        metrics.ended("openai-chat", Verdict::Redact, End::Outcome(Ended::Completed));
        metrics.took(Stage::Record, Duration::from_micros(300));
        metrics.policy("sha256:1".to_owned(), "1".to_owned());
        metrics.policy("sha256:2".to_owned(), "2".to_owned());
        let text = metrics.encode();
        for line in [
            "ordain_exchanges_total{wire=\"openai-chat\",verdict=\"redact\",ended=\"completed\"} 2",
            "ordain_stage_seconds_bucket{le=\"0.0005\",stage=\"record\"} 1",
            "ordain_stage_seconds_bucket{le=\"0.0002\",stage=\"record\"} 0",
            "ordain_policy{digest=\"sha256:2\",version=\"2\"} 1",
            "ordain_reloads_total{result=\"unusable\"} 0",
            "ordain_start_time_seconds 1796083200.0",
            "# EOF",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!text.contains("sha256:1\""), "only the policy in force is told");
    }

    #[test]
    fn every_metric_is_in_the_reference() {
        let page = include_str!("../../../docs/reference/metrics.md");
        let metrics = metrics();
        metrics.policy("sha256:1".to_owned(), "1".to_owned());
        metrics.ended("openai-chat", Verdict::Allow, End::Refused);
        metrics.used(1, 1, false, None);
        metrics.fetched_keys("https://login.example.com", None, false);
        for line in metrics.encode().lines() {
            if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next()) {
                assert!(
                    page.contains(&format!("`{name}")),
                    "{name} is not in docs/reference/metrics.md"
                );
            }
        }
    }

    #[test]
    fn dashboards_and_alerts_name_metrics_that_there_are() {
        let metrics = metrics();
        metrics.policy("sha256:1".to_owned(), "1".to_owned());
        metrics.ended("openai-chat", Verdict::Allow, End::Refused);
        metrics.used(1, 1, false, None);
        metrics.fetched_keys("https://login.example.com", None, false);
        let text = metrics.encode();
        let known: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        for file in [
            include_str!("../../../deploy/grafana/dashboards/ordain.json"),
            include_str!("../../../deploy/prometheus/alerts.yml"),
        ] {
            let words = file.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in words.filter(|word| word.starts_with("ordain_")) {
                let base = name.trim_end_matches("_total").trim_end_matches("_bucket");
                assert!(known.contains(&base), "{name}");
            }
        }
    }
}
