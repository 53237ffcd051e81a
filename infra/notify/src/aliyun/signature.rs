//! Alibaba Cloud's signature of a call, version 3 (`ACS3-HMAC-SHA256`).

use domain::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::mac::{hex, hmac_sha256, sha256_hex};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What RFC 3986 calls unreserved stays.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A call without a body.
pub(super) struct Call<'a> {
    pub(super) host: String,
    pub(super) action: &'a str,
    pub(super) version: &'a str,
    /// In the order of their names.
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// Never the same twice.
    pub(super) nonce: &'a str,
    pub(super) at: Timestamp,
}

/// The same, signed.
pub(super) struct Signed {
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

pub(super) fn signed(call: &Call<'_>, key_id: &str, key_secret: &str) -> Option<Signed> {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let pairs: Vec<String> =
        call.parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let query = pairs.join("&");
    let payload = sha256_hex(b"");
    let mut headers = vec![
        ("host", call.host.clone()),
        ("x-acs-action", call.action.to_owned()),
        ("x-acs-content-sha256", payload.clone()),
        ("x-acs-date", seconds(call.at)),
        ("x-acs-signature-nonce", call.nonce.to_owned()),
        ("x-acs-version", call.version.to_owned()),
    ];
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join("\n");
    let canonical = format!("POST\n/\n{query}\n{lines}\n\n{names}\n{payload}");
    let to_sign = format!("{ALGORITHM}\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex(&hmac_sha256(key_secret.as_bytes(), to_sign.as_bytes())?);
    let authorization = format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}");
    headers.push(("authorization", authorization));
    Some(Signed { query, headers })
}

/// `2023-10-26T10:22:32Z`.
fn seconds(at: Timestamp) -> String {
    Timestamp(at.0.div_euclid(1000) * 1000).rfc3339().replace(".000Z", "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_comes_out() {
        let call = Call {
            host: "ecs.cn-shanghai.aliyuncs.com".to_owned(),
            action: "RunInstances",
            version: "2014-05-26",
            parameters: &[
                ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
                ("RegionId", "cn-shanghai"),
            ],
            nonce: "3156853299f313e23d1673dc12e1703d",
            at: Timestamp(1_698_315_752_999),
        };
        let signed = signed(&call, "YourAccessKeyId", "YourAccessKeySecret").unwrap();
        let (name, authorization) = signed.headers.last().unwrap();
        assert_eq!(
            (*name, authorization.as_str()),
            (
                "authorization",
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
                 x-acs-date;x-acs-signature-nonce;x-acs-version,\
                 Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
            )
        );
    }
}
