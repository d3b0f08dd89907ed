//! Compiles `proto/zegel/v1/*.proto` in pure Rust (no `protoc`).
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["zegel/v1/wire.proto", "zegel/v1/mail.proto"], ["proto"])?;
    prost_build::Config::new().bytes(["."]).compile_fds(files)?;
    Ok(())
}
