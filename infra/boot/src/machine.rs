//! The machine that this process runs on.

/// What the system calls it; a container's is its own, and on Fargate its task's. What is not ASCII letters, digits, `.`, `-` and `_`
/// becomes `-`.
pub fn host_name() -> String {
    plain(&rustix::system::uname().nodename().to_string_lossy())
}

fn plain(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_plain_name() {
        assert!(!host_name().is_empty());
        assert_eq!(plain("ip-10-0-1-23.ec2.internal"), "ip-10-0-1-23.ec2.internal");
        assert_eq!(plain("(none)/a:b"), "-none--a-b");
    }
}
