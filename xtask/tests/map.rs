//! The map of DESIGN.md section 3: who may know whom, read from cargo's own dependency graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The ground floor, lowest first: each may know only those before it.
const GROUND: [&str; 7] = [
    "zegel-content",
    "zegel-franking",
    "zegel-proto",
    "zegel-identity",
    "zegel-directory",
    "zegel-cases",
    "zegel-safety",
];
const CLIENT: &str = "zegel-client";
const SERVER: &str = "zegel-server";
/// No package that the server is linked with has one of these in its name.
const NO_SECRETS: [&str; 3] = ["openmls", "mls-rs", CLIENT];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Normal,
    Build,
}

/// Packages by cargo's id, since one name may occur in two versions.
#[derive(Clone, Default)]
struct Graph {
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, BTreeSet<(String, Kind)>>,
    members: BTreeMap<String, String>,
    manifests: BTreeSet<PathBuf>,
}

#[derive(Debug, Default)]
struct Findings {
    looked_at: BTreeSet<&'static str>,
    /// How many packages the server is linked with, itself included.
    server_tree: usize,
    faults: Vec<String>,
}

impl Graph {
    fn of_this_workspace() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        // With all features, so that none of them is a way around the map.
        let output = Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["metadata", "--format-version", "1", "--all-features"])
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::read(&serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON"))
    }

    fn read(metadata: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let mut graph = Self::default();
        let members: BTreeSet<String> = list(&metadata["workspace_members"]).iter().map(text).collect();
        for package in list(&metadata["packages"]) {
            let (id, name) = (text(&package["id"]), text(&package["name"]));
            if members.contains(&id) {
                graph.members.insert(name.clone(), id.clone());
                let manifest = Path::new(&text(&package["manifest_path"])).canonicalize();
                graph.manifests.insert(manifest.expect("a member has a manifest"));
            }
            graph.names.insert(id, name);
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            for dependency in list(&node["deps"]) {
                for use_of_it in list(&dependency["dep_kinds"]) {
                    let kind = match use_of_it["kind"].as_str() {
                        None => Kind::Normal,
                        Some("build") => Kind::Build,
                        Some(_) => continue,
                    };
                    graph.edge(&text(&node["id"]), &text(&dependency["pkg"]), kind);
                }
            }
        }
        graph
    }

    fn edge(&mut self, from: &str, to: &str, kind: Kind) {
        self.edges.entry(from.to_owned()).or_default().insert((to.to_owned(), kind));
    }

    /// The names of all that a member stands on, itself excluded, by edges of these kinds; each with who brings it in.
    fn below(&self, member: &str, kinds: &[Kind]) -> BTreeMap<&str, &str> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![self.members[member].as_str()];
        while let Some(id) = open.pop() {
            for (next, kind) in self.edges.get(id).into_iter().flatten() {
                if kinds.contains(kind) && seen.insert(next.as_str()) {
                    found.insert(self.names[next].as_str(), self.names[id].as_str());
                    open.push(next);
                }
            }
        }
        found
    }

    /// Holds the map; crates that do not exist yet are left out.
    fn check(&self) -> Findings {
        let mut findings = Findings::default();
        let both = [Kind::Normal, Kind::Build];
        let ours = |name: &str| self.members.contains_key(name);
        let there = |name: &&'static str| ours(name);

        for (height, member) in GROUND.iter().copied().enumerate().filter(|(_, member)| ours(member)) {
            findings.looked_at.insert(member);
            for (known, by) in self.below(member, &both).into_iter().filter(|(known, _)| ours(known)) {
                if !GROUND[..height].contains(&known) {
                    findings.faults.push(format!("{member} may not know {known} (brought in by {by})"));
                }
            }
        }
        for (member, other) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            if !ours(member) {
                continue;
            }
            findings.looked_at.insert(member);
            if let Some(by) = self.below(member, &both).get(other) {
                findings.faults.push(format!("{member} may not know {other} (brought in by {by})"));
            }
        }
        if there(&SERVER) {
            let linked = self.below(SERVER, &[Kind::Normal]);
            findings.server_tree = linked.len() + 1;
            for (name, by) in linked {
                if NO_SECRETS.iter().any(|secret| name.contains(secret)) {
                    findings
                        .faults
                        .push(format!("{SERVER} may not be linked with {name} (brought in by {by})"));
                }
            }
        }
        findings
    }

    /// Plants a package, and an edge to it from the package `from`, which may be any package of that name.
    fn plant(&mut self, from: &str, to: &str, kind: Kind) {
        let find = |graph: &Self, name: &str| {
            graph.names.iter().find(|(_, known)| *known == name).map(|(id, _)| id.clone())
        };
        let from = find(self, from).expect("the edge begins somewhere");
        let to = find(self, to).unwrap_or_else(|| {
            self.names.insert(to.to_owned(), to.to_owned());
            to.to_owned()
        });
        self.edge(&from, &to, kind);
    }

    /// A small workspace that keeps to the map.
    fn example() -> Self {
        let mut graph = Self::default();
        for name in GROUND.into_iter().chain([CLIENT, SERVER]) {
            graph.names.insert(name.to_owned(), name.to_owned());
            graph.members.insert(name.to_owned(), name.to_owned());
        }
        let floors = [(2, 0), (3, 2), (4, 3), (5, 4)].map(|(from, to)| (GROUND[from], GROUND[to]));
        for (from, to) in floors.into_iter().chain([(CLIENT, GROUND[5]), (SERVER, GROUND[6])]) {
            graph.plant(from, to, Kind::Normal);
        }
        graph.plant(CLIENT, "openmls", Kind::Normal);
        graph.plant(SERVER, "axum", Kind::Normal);
        graph.plant(SERVER, "prost-build", Kind::Build);
        graph
    }
}

#[test]
fn the_workspace_keeps_to_the_map() {
    let graph = Graph::of_this_workspace();
    let findings = graph.check();
    assert_eq!(findings.faults, Vec::<String>::new());

    // Nobody slipped past: every crate folder is a member, and every member with a rule was held to it.
    let crates =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").canonicalize().expect("crates/ exists");
    let manifests =
        std::fs::read_dir(&crates).expect("crates/ is read").map(|entry| entry.expect("an entry").path());
    let manifests: Vec<PathBuf> =
        manifests.map(|folder| folder.join("Cargo.toml")).filter(|m| m.exists()).collect();
    for manifest in &manifests {
        assert!(graph.manifests.contains(manifest), "{} was not looked at", manifest.display());
    }
    let with_rules = GROUND.into_iter().chain([CLIENT, SERVER]);
    let expected: BTreeSet<&str> = with_rules
        .filter(|name| crates.join(name.trim_start_matches("zegel-")).join("Cargo.toml").exists())
        .collect();
    assert_eq!(findings.looked_at, expected);
    assert!(GROUND.iter().all(|name| expected.contains(name)), "the ground floor is there: {expected:?}");
    if expected.contains(SERVER) {
        assert!(findings.server_tree > 50, "the server's tree was really walked: {}", findings.server_tree);
    }
}

/// Plants one edge and gives back what the check says.
fn faults_with(from: &str, to: &str, kind: Kind) -> Vec<String> {
    let mut graph = Graph::example();
    assert_eq!(graph.check().faults, Vec::<String>::new());
    graph.plant(from, to, kind);
    graph.check().faults
}

#[test]
fn a_server_that_can_decrypt_is_reported() {
    let fault = ["zegel-server may not be linked with openmls (brought in by zegel-server)"];
    assert_eq!(faults_with(SERVER, "openmls", Kind::Normal), fault);
    let deep = ["zegel-server may not be linked with openmls_rust_crypto (brought in by axum)"];
    assert_eq!(faults_with("axum", "openmls_rust_crypto", Kind::Normal), deep);
    let other = ["zegel-server may not be linked with mls-rs-core (brought in by axum)"];
    assert_eq!(faults_with("axum", "mls-rs-core", Kind::Normal), other);
}

#[test]
fn client_and_server_that_know_each_other_are_reported() {
    let faults = faults_with(SERVER, CLIENT, Kind::Normal);
    assert!(
        faults.contains(&"zegel-server may not know zegel-client (brought in by zegel-server)".to_owned())
    );
    let fault = ["zegel-client may not know zegel-server (brought in by zegel-client)"];
    assert_eq!(faults_with(CLIENT, SERVER, Kind::Build), fault);
}

#[test]
fn a_ground_floor_that_looks_up_is_reported() {
    let faults = faults_with(GROUND[0], GROUND[1], Kind::Normal);
    assert!(
        faults
            .contains(&"zegel-content may not know zegel-franking (brought in by zegel-content)".to_owned())
    );
    let faults = faults_with(GROUND[1], CLIENT, Kind::Build);
    assert!(
        faults
            .contains(&"zegel-franking may not know zegel-client (brought in by zegel-franking)".to_owned())
    );
}

#[test]
fn a_planted_edge_in_the_real_graph_is_reported() {
    let mut graph = Graph::of_this_workspace();
    let Some(server) = graph.members.get(SERVER).cloned() else { return };
    graph.names.insert("planted".into(), "openmls".into());
    graph.edge(&server, "planted", Kind::Normal);
    let faults = graph.check().faults;
    assert_eq!(faults, ["zegel-server may not be linked with openmls (brought in by zegel-server)"]);
}
