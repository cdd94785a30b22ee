use super::*;

fn complete() -> BTreeMap<&'static str, String> {
    [
        ("POCKETBASE_URL", "http://127.0.0.1:8090"),
        ("PB_USER_EMAIL", "sidecar@example.com"),
        ("PB_USER_PASSWORD", "1234567890"),
        ("API_KEY", "0123456789abcdef,fedcba9876543210"),
        ("CLIENT_URL", "https://app.example.com"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("FACE_LIVENESS_THRESHOLD", "75"),
        ("OPENAI_MODEL", "gpt-6-luna"),
        ("OPENAI_API_KEY", "sk"),
        ("FINGERPRINT_SECRET_KEY", "fp"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

fn read(values: &BTreeMap<&'static str, String>) -> Result<Config, Invalid> {
    from_lookup(&|name| values.get(name).cloned())
}

#[test]
fn the_required_variables_are_enough() {
    let config = read(&complete()).unwrap();
    assert_eq!(config.facade.api_keys.len(), 2);
    assert_eq!(config.facade.listen.port(), 8000);
    assert_eq!(config.aws.liveness_region, "us-east-1");
}

#[test]
fn proxies_are_addresses_or_networks_and_none_is_trusted_by_default() {
    let mut values = complete();
    assert_eq!(read(&values).unwrap().facade.trusted_proxies, []);
    values.insert("TRUSTED_PROXIES", "10.0.0.0/8, ::1,".into());
    let networks = ["10.0.0.0/8", "::1"].map(|text| text.parse::<Network>().unwrap());
    assert_eq!(read(&values).unwrap().facade.trusted_proxies, networks);
    values.insert("TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.0/33, traefik".into());
    assert_eq!(
        read(&values).unwrap_err().problems,
        ["10.0.0.0/33", "traefik"].map(|wrong| format!(
            "TRUSTED_PROXIES has {wrong:?}, which is not an address or a range such as 10.0.0.0/8"
        ))
    );
}

#[test]
fn an_empty_environment_names_every_required_variable_at_once() {
    let problems = from_lookup(&|_| None).unwrap_err().problems;
    for variable in VARIABLES.iter().filter(|v| v.default.is_none()) {
        assert!(problems.iter().any(|p| p.starts_with(variable.name)), "{} in {problems:?}", variable.name);
    }
}

#[test]
fn several_mistakes_are_reported_together_without_secrets() {
    let mut values = complete();
    values.insert("FACE_LIVENESS_THRESHOLD", "NaN".into());
    values.insert("CLIENT_URL", "*".into());
    values.insert("API_KEY", "topsecret".into());
    values.insert("OPENAI_API_KEY", "line\nbreak".into());
    values.insert("AWS_CALLS_PER_SECOND", "0".into());
    let message = read(&values).unwrap_err().to_string();
    for name in ["FACE_LIVENESS_THRESHOLD", "CLIENT_URL", "API_KEY", "OPENAI_API_KEY", "AWS_CALLS_PER_SECOND"] {
        assert!(message.contains(name), "{message}");
    }
    assert!(!message.contains("topsecret"));
}

#[test]
fn a_list_of_nothing_but_commas_is_not_a_list() {
    let mut values = complete();
    values.insert("API_KEY", ",".into());
    values.insert("CLIENT_URL", " , ".into());
    let problems = read(&values).unwrap_err().problems;
    assert!(problems.len() == 2 && problems[0].contains("no key") && problems[1].contains("no origin"), "{problems:?}");
}

#[test]
fn a_secret_from_a_file_loses_its_line_end() {
    use secrecy::ExposeSecret;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from the file\n").unwrap();
    let mut values = complete();
    values.insert("PB_USER_PASSWORD_FILE", file.path().display().to_string());
    assert_eq!(read(&values).unwrap().pocketbase.password.expose_secret(), "from the file");
    values.insert("PB_USER_PASSWORD_FILE", "/nowhere/at/all".into());
    assert!(read(&values).unwrap_err().problems[0].contains("PB_USER_PASSWORD_FILE"));
}

#[test]
fn the_environment_overrides_the_file_which_may_hold_plain_numbers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "workers = 7\naws_region = \"eu-west-1\"\nno_such_thing = 1\n").unwrap();
    let mut values = complete();
    values.insert("CONFIG_FILE", file.path().display().to_string());
    let problems = read(&values).unwrap_err().problems;
    assert_eq!(problems, ["the configuration file sets no_such_thing, which does not exist"]);
    std::fs::write(file.path(), "workers = 7\naws_region = \"eu-west-1\"\n").unwrap();
    let config = read(&values).unwrap();
    assert_eq!((config.workers, config.aws.region.as_str()), (7, "us-east-1"));
}

#[test]
fn optional_values_have_their_defaults() {
    let config = read(&complete()).unwrap();
    assert_eq!((config.workers, config.shutdown_seconds, config.allow_insecure_endpoints), (32, 25, false));
    assert_eq!(config.rates.aws, Rate { per_second: 50.0, at_once: 32 });
    assert_eq!(config.metrics_listen, Some(([127, 0, 0, 1], 9464).into()));
    assert!(config.instance.ends_with(":8000") && config.hash_key.is_none() && !config.log.json);
}

#[test]
fn a_blank_value_is_a_variable_that_is_not_set() {
    let mut values = complete();
    values.insert("WORKERS", " ".into());
    values.insert("OPENAI_MODEL", " ".into());
    values.insert("HASH_KEY", " ".into());
    assert_eq!(read(&values).unwrap_err().problems, ["OPENAI_MODEL is not set", "WORKERS is not set"]);
}
