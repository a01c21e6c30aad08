"""Which clauses of laws and standards a piece of evidence supports: one table, with a version and a date.

The table says "supports": evidence helps a reader who looks at a clause. Whether the clause is kept is for people to say.

Sources: NIST AI 100-1 (AI RMF 1.0, 2023) and its Playbook; ISO/IEC 23894:2023; Regulation (EU) 2024/1689 (AI Act), its
articles and Annex IV; Regulation (EU) 2016/679 (GDPR); California Civil Code 1798.100 ff. (CCPA); AICPA Trust Services
Criteria 2017 (SOC 2); NIST Cybersecurity Framework 1.1 (2018) and 2.0 (2024).
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "1"
DATE = "2026-11-21"

# Frameworks by key: short name, title, and what must be known about it.
FRAMEWORKS: dict[str, tuple[str, str, str]] = {
    "nist_ai_rmf": ("AI RMF", "NIST AI RMF 1.0", "Voluntary; its outcomes are suggestions, not requirements."),
    "iso_iec_23894": (
        "ISO/IEC 23894",
        "ISO/IEC 23894:2023",
        "Guidance; the standard of requirements beside it is ISO/IEC 42001.",
    ),
    "eu_ai_act": (
        "AI Act",
        "EU AI Act, articles",
        "Regulation (EU) 2024/1689. What applies to a system, and from when, depends on its class of risk.",
    ),
    "eu_ai_act_annex_iv": (
        "AI Act, Annex IV",
        "EU AI Act, Annex IV",
        "The technical documentation of a high-risk system (Article 11). Kept for ten years (Article 18).",
    ),
    "gdpr": ("GDPR", "GDPR", "Regulation (EU) 2016/679, where the data are about persons."),
    "ccpa": (
        "CCPA",
        "CCPA",
        "California Civil Code 1798.100 ff., as amended by the CPRA; where it covers the business.",
    ),
    "soc2": (
        "SOC 2",
        "SOC 2, Trust Services Criteria",
        "TSC 2017 with the points of focus of 2022. An auditor judges controls.",
    ),
    "nist_csf": (
        "NIST CSF",
        "NIST CSF, Data Security (PR.DS)",
        "Ids of version 2.0 (2024), with those of 1.1 (2018) beside them.",
    ),
}


@dataclass(frozen=True)
class Clause:
    """One clause.

    Attributes:
        framework: Key of `FRAMEWORKS`.
        id: As the framework numbers it.
        about: What it is about, in our words.
        kinds: Kinds of evidence that support it (keys of `clause_index.KINDS`), those that a release may lack included.
        note: What must not be misread.
    """

    framework: str
    id: str
    about: str
    kinds: tuple[str, ...]
    note: str = ""


def _of(framework: str, *rows: tuple[str, str, str] | tuple[str, str, str, str]) -> tuple[Clause, ...]:
    return tuple(Clause(framework, one[0], one[1], tuple(one[2].split()), *one[3:]) for one in rows)


_ART_22 = (
    "About decisions based solely on automated processing, and a person's intervention in them. It does not by its text give "
    "a right to an explanation: see Recital 71, Articles 13 to 15, and Article 86 of the EU AI Act."
)
_PR_DS_5 = "Withdrawn in version 2.0, which carries it in PR.DS-01, PR.DS-02 and PR.DS-10."

CLAUSES: tuple[Clause, ...] = (
    *_of(
        "nist_ai_rmf",
        ("GOVERN 1.2", "Traits of trustworthy AI are part of policies and processes", "policy"),
        ("GOVERN 1.3", "How much risk management a system needs follows from risk tolerance", "policy risk_rating"),
        ("GOVERN 1.4", "The risk management process and its outcomes are laid open", "policy decision"),
        ("GOVERN 1.6", "There is an inventory of AI systems", "model_card lineage"),
        ("GOVERN 2.1", "Roles and responsibilities are clear", "decision owner"),
        ("MAP 1.1", "Purposes, users, laws and settings of use are understood", "intended_use model_card"),
        ("MAP 1.5", "Risk tolerances are determined and documented", "policy"),
        ("MAP 2.1", "The task and the methods are defined", "model_card"),
        (
            "MAP 2.2",
            "Limits of knowledge, and how people oversee the output, are documented",
            "model_card human_oversight",
        ),
        (
            "MAP 2.3",
            "Scientific integrity: data collection and selection, construct validity",
            "pretraining_bias data_checks",
        ),
        ("MAP 3.5", "Processes for human oversight are defined and documented", "human_oversight"),
        ("MEASURE 1.1", "Metrics are selected, and what is not measured is documented", "policy not_measured"),
        ("MEASURE 2.1", "Test sets, metrics and tools are documented", "performance lineage"),
        ("MEASURE 2.3", "Performance is measured for conditions like those of use", "performance posttraining_bias"),
        ("MEASURE 2.4", "The system is monitored in production", "monitoring"),
        ("MEASURE 2.5", "The system is shown to be valid and reliable, with its limits", "performance limitations"),
        ("MEASURE 2.6", "Safety risks are evaluated", "safety"),
        ("MEASURE 2.7", "Security and resilience are evaluated", "cybersecurity"),
        ("MEASURE 2.8", "Risks of transparency and accountability are examined", "explanations model_card"),
        ("MEASURE 2.9", "The model is explained and its output interpreted", "explanations explanation_quality"),
        ("MEASURE 2.10", "Privacy risk is examined", "pseudonymisation masking"),
        ("MEASURE 2.11", "Fairness and bias are evaluated", "pretraining_bias posttraining_bias"),
        ("MEASURE 2.12", "Environmental impact is assessed", "environment"),
        ("MEASURE 2.13", "The effectiveness of metrics and measuring is evaluated", "uncertainty"),
        ("MEASURE 3.1", "Risks are tracked over time", "monitoring"),
        ("MANAGE 1.1", "It is decided whether the system goes forward", "decision"),
        ("MANAGE 1.2", "Treatment of risks is ranked", "mitigation"),
        ("MANAGE 1.3", "Responses to high risks: mitigating, transferring, avoiding, accepting", "mitigation waivers"),
        ("MANAGE 1.4", "Residual risks are documented", "waivers limitations"),
        ("MANAGE 2.3", "There are procedures for risks that were unknown before", "rollback"),
        ("MANAGE 2.4", "A system can be superseded, disengaged or deactivated", "rollback"),
        ("MANAGE 4.1", "There is a plan for monitoring after deployment", "monitoring"),
        ("MANAGE 4.3", "Incidents and errors are communicated and tracked", "rollback incidents"),
    ),
    *_of(
        "iso_iec_23894",
        ("6.3", "Scope, context and criteria", "policy intended_use"),
        ("6.4", "Risk assessment", "pretraining_bias posttraining_bias performance risk_rating"),
        ("6.5", "Risk treatment", "waivers mitigation"),
        ("6.6", "Monitoring and review", "monitoring"),
        ("6.7", "Recording and reporting", "decision model_card lineage"),
    ),
    *_of(
        "eu_ai_act",
        ("Article 9", "Risk management system", "policy decision risk_file"),
        ("Article 9(5)", "Residual risk is judged acceptable", "waivers risk_file"),
        ("Article 10(2)(f)", "Data are examined for possible biases", "pretraining_bias data_checks"),
        ("Article 10(2)(g)", "Biases are detected, prevented and mitigated", "pretraining_bias mitigation"),
        ("Article 10(5)", "Special categories of data, for detecting bias, under safeguards", "pseudonymisation"),
        ("Article 11", "Technical documentation", "model_card"),
        ("Article 12", "Records over the life of the system", "lineage monitoring"),
        ("Article 13", "Transparency for deployers", "explanations model_card instructions"),
        ("Article 14", "Human oversight", "human_oversight"),
        ("Article 15", "Accuracy and robustness", "performance posttraining_bias"),
        ("Article 15(5)", "Cybersecurity", "cybersecurity"),
        ("Article 17", "Quality management system", "policy decision"),
        ("Article 18", "Documentation is kept for ten years", "retention"),
        ("Article 20", "Corrective actions", "rollback"),
        ("Article 72", "Post-market monitoring", "monitoring"),
        ("Article 73", "Serious incidents are reported", "incidents"),
        (
            "Article 86",
            "A person's right to an explanation of an individual decision",
            "explanations",
            "The evidence is about the model; an answer to a person is made for that person.",
        ),
    ),
    *_of(
        "eu_ai_act_annex_iv",
        ("1(a)", "Intended purpose, provider, version", "intended_use owner model_card"),
        ("1(b)", "Interaction with other hardware and software", "integration"),
        ("1(c)", "Versions of relevant software", "packages"),
        ("1(d)", "Forms in which it is placed on the market", "integration"),
        ("1(e)", "Hardware on which it runs", "integration"),
        ("1(f)", "Pictures of the product it is part of", "integration"),
        ("1(g)", "User interface for the deployer", "integration"),
        ("1(h)", "Instructions for use for the deployer", "instructions"),
        ("2(a)", "Methods and steps of development, tools of third parties", "lineage packages"),
        ("2(b)", "Design, logic, choices, and the persons it is meant for", "model_card explanations policy"),
        ("2(c)", "Architecture, and computing resources used", "model_card compute"),
        ("2(d)", "Data: provenance, scope, labelling, cleaning", "pretraining_bias data_checks lineage datasheet"),
        ("2(e)", "Human oversight, and what makes the output interpretable", "human_oversight explanations"),
        ("2(f)", "Changes that are determined beforehand", "planned_changes"),
        (
            "2(g)",
            "Validation and testing: data, metrics, potentially discriminatory impacts; reports dated and signed",
            "performance posttraining_bias decision signature",
        ),
        ("2(h)", "Cybersecurity", "cybersecurity"),
        (
            "3",
            "Monitoring, functioning and control: accuracy for specific persons or groups",
            "posttraining_bias performance limitations monitoring",
        ),
        ("4", "Whether the metrics of performance are appropriate", "policy"),
        ("5", "Risk management system (Article 9)", "policy risk_file"),
        ("6", "Changes through the lifecycle", "lineage rollback"),
        ("7", "Standards that were applied", "standards"),
        ("8", "EU declaration of conformity", "declaration"),
        ("9", "Post-market monitoring (Article 72)", "monitoring"),
    ),
    *_of(
        "gdpr",
        ("Article 13", "Information where data come from the person", "model_card explanations"),
        ("Article 14", "Information where data come from elsewhere", "model_card explanations"),
        ("Article 15", "Access, with meaningful information about the logic involved", "explanations"),
        ("Article 22", "Automated individual decisions", "human_oversight explanations", _ART_22),
        ("Article 25", "Data protection by design and by default", "pseudonymisation masking"),
        ("Article 32", "Security of processing", "pseudonymisation cybersecurity"),
    ),
    *_of(
        "ccpa",
        ("1798.100(c)", "Collection and use are proportionate", "pseudonymisation masking"),
        ("1798.100(e)", "Reasonable security of personal information", "pseudonymisation cybersecurity"),
        (
            "1798.140(m)",
            "What counts as deidentified",
            "masking pseudonymisation",
            "A masked table is not deidentified data.",
        ),
        ("1798.140(aa)", "What counts as pseudonymised", "pseudonymisation"),
    ),
    *_of(
        "soc2",
        ("CC3.1", "Objectives are clear enough to see risks to them", "policy"),
        ("CC3.2", "Risks are identified and analysed", "policy pretraining_bias posttraining_bias"),
        ("CC6.1", "Logical access, and protection of information assets", "pseudonymisation"),
        ("CC7.1", "Changes that bring vulnerabilities are detected", "lineage packages"),
        ("CC7.2", "Systems are watched for anomalies", "monitoring"),
        ("CC7.4", "Incidents are answered", "rollback"),
        ("CC8.1", "Changes are authorised, tested and approved before they are released", "decision lineage"),
    ),
    *_of(
        "nist_csf",
        ("PR.DS-01 (1.1: PR.DS-1)", "Data at rest are protected: integrity, by digests", "lineage"),
        (
            "PR.DS-02 (1.1: PR.DS-2)",
            "Data in transit are protected: integrity, by digests checked at every step",
            "lineage",
        ),
        ("PR.DS-10 (no id in 1.1)", "Data in use are protected", "pseudonymisation"),
        ("PR.DS-5 (1.1; withdrawn in 2.0)", "Protection against leaks of data", "masking pseudonymisation", _PR_DS_5),
    ),
)
