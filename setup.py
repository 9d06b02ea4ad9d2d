"""The one home of the packaging metadata; pyproject.toml holds only the settings of tools."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def version() -> str:
    """The version in seqnlp/version.py, read and not imported: a build environment has none of the requirements."""
    text = (HERE / "seqnlp" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise RuntimeError('seqnlp/version.py has no line __version__ = "..."')
    return found.group(1)


setup(
    name="seqnlp",
    version=version(),
    description="From raw text to a scored prediction with recurrent networks, from the shell",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The seqnlp authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    # By name: what is found by looking would take tests/, data/ or a stray folder along.
    packages=[
        "seqnlp",
        "seqnlp.io",
        "seqnlp.preprocess",
        "seqnlp.preprocess.corpora",
        "seqnlp.preprocess.text",
        "seqnlp.preprocess.batching",
        "seqnlp.metrics",
        "seqnlp.checks",
        "seqnlp.nn",
        "seqnlp.decoding",
        "seqnlp.training",
        "seqnlp.tasks",
        "seqnlp.tasks.classify",
        "seqnlp.tasks.forecast",
        "seqnlp.tasks.lm",
        "seqnlp.tasks.tag",
        "seqnlp.tasks.translate",
        "seqnlp.tasks.words",
        "seqnlp.workflows",
        "seqnlp.cli",
    ],
    package_data={"seqnlp": ["py.typed"]},
    python_requires=">=3.10",
    # Lower bounds only; the exact versions that were tested are in constraints.txt.
    install_requires=[
        "click>=8.2",
        "datasets>=4.0",
        "numpy>=1.26",
        "pyyaml>=6.0",
        "rich>=13.0",
        "rouge-score>=0.1.2",
        "sacrebleu>=2.4",
        "safetensors>=0.4.3",
        "scikit-learn>=1.5",
        "tokenizers>=0.20",
        "torch>=2.6",
    ],
    extras_require={
        "plot": ["matplotlib>=3.8"],
        "ja": ["sacrebleu[ja]>=2.4"],
        "ray": ["ray[data]>=2.40"],  # for pipelines/ray_predict.py
        "spark": ["pandas>=2.2", "pyspark>=4.0"],  # for pipelines/spark_predict.py, which needs Java too
        "test": [
            "hypothesis>=6.100",
            "mypy>=1.11",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
            "scipy>=1.15",
            "seqeval>=1.2.2",
            "setuptools>=70.1",  # a test builds the wheel in the environment it runs in
        ],
    },
    entry_points={"console_scripts": ["seqnlp = seqnlp.cli:main"]},
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
        "Typing :: Typed",
    ],
)
