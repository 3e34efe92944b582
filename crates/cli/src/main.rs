//! `ordain`: the one binary. One file for each verb under [`verbs`]; each asks the core or the server and prints.
//!
//! Exit codes: 0 yes, 1 the answer is no (problems found, a case failed, a request would be blocked), 2 could not run.

#![expect(clippy::print_stderr, reason = "errors and notes for people go to standard error")]

#[cfg(test)]
mod ci_examples;
mod exit;
mod pdf;
mod policy;
mod verbs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Answer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes an organisation's policy for generative AI real: write it, enforce it, prove it.
#[derive(Debug, Parser)]
#[command(
    name = "ordain",
    version,
    max_term_width = 110,
    after_help = "Exit codes: 0 yes, 1 the answer is no, 2 could not run."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a first policy and gateway, or start what is there
    Up(verbs::up::Up),
    /// Run the gateway on a folder that is there
    Serve(verbs::serve::Serve),
    /// Write a policy from an interview, from answers or from profiles
    Init(verbs::init::Init),
    /// Look at the library of clauses, and adopt from it
    #[command(subcommand)]
    Clause(verbs::clause::Clause),
    /// Report all problems of a policy
    Check(verbs::check::Check),
    /// Say what clauses cannot see or do on which endpoints
    Assurance(verbs::assurance::Verb),
    /// Run a policy's cases
    Test(verbs::test::Test),
    /// Say what changes in meaning from one policy to another
    Diff(verbs::diff::Diff),
    /// Decide one request and say why
    Explain(verbs::explain::Explain),
    /// Print the policy as a document, with its digest
    Render(verbs::render::Render),
    /// Look at the records of what was decided
    #[command(subcommand)]
    Records(verbs::records::Records),
    /// Look at the frameworks that clauses can map to
    #[command(subcommand)]
    Framework(verbs::framework::Framework),
    /// Say what full enforcement, or another policy, would have done
    Impact(verbs::impact::Impact),
    /// Make, list, rotate and revoke virtual keys
    #[command(subcommand)]
    Key(verbs::key::Key),
    /// Agree to a request that is held
    Approve(verbs::tickets::Reply),
    /// Refuse a request that is held
    Deny(verbs::tickets::Reply),
    /// Look at requests that wait for somebody to agree
    #[command(subcommand)]
    Tickets(verbs::tickets::Tickets),
    /// Look at what went on while the ledger took no records, and review it
    #[command(subcommand)]
    BreakGlass(verbs::break_glass::Verb),
    /// Sign in, to call a gateway as yourself
    Login(verbs::login::Login),
    /// Forget the sign-in, and tell the issuer
    Logout(verbs::login::Logout),
    /// Print a token that is good now
    Token(verbs::login::Token),
    /// Look at aliases of models, put another version in use, and take that back
    #[command(subcommand)]
    Model(verbs::model::Model),
    /// Take in completed courses, and list them
    #[command(subcommand)]
    Training(verbs::training::Training),
    /// Print the policy for other tools: JSON Schema, Cedar
    #[command(subcommand)]
    Policy(verbs::policy::Policy),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let answer = match cli.verb {
        Verb::Up(verb) => verb.run(),
        Verb::Serve(verb) => verb.run(),
        Verb::Init(verb) => verb.run(),
        Verb::Clause(verb) => verb.run(),
        Verb::Check(verb) => verb.run(),
        Verb::Assurance(verb) => verb.run(),
        Verb::Test(verb) => verb.run(),
        Verb::Diff(verb) => verb.run(),
        Verb::Explain(verb) => verb.run(),
        Verb::Render(verb) => verb.run(),
        Verb::Records(verb) => verb.run(),
        Verb::Framework(verb) => verb.run(),
        Verb::Impact(verb) => verb.run(),
        Verb::Key(verb) => verb.run(),
        Verb::Approve(verb) => verb.run(true),
        Verb::Deny(verb) => verb.run(false),
        Verb::Tickets(verb) => verb.run(),
        Verb::BreakGlass(verb) => verb.run(),
        Verb::Login(verb) => verb.run(),
        Verb::Logout(verb) => verb.run(),
        Verb::Token(verb) => verb.run(),
        Verb::Model(verb) => verb.run(),
        Verb::Training(verb) => verb.run(),
        Verb::Policy(verb) => verb.run(),
    };
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) if exit::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
