"""What is exported of good and bad outputs trains: one step of TRL's KTO on a tiny model."""

from math import isfinite

from annotation.exports import EXPORTS
from tests.alignment import tiny


def test_trl_takes_the_rows_of_good_and_bad_outputs(policy_folder, tmp_path):
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    written = [
        EXPORTS["trl_unpaired_preference"].row(
            {"prompt": row["prompt"], "completion": row[side][0]["content"], "label": good}
        )
        for row in tiny.preferences(8)
        for side, good in (("chosen", True), ("rejected", False))
    ]
    trainer = KTOTrainer(
        model=str(policy_folder),
        args=KTOConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=1,
            per_device_train_batch_size=4,
            use_cpu=True,
            bf16=False,
            report_to="none",
            save_strategy="no",
        ),
        train_dataset=Dataset.from_list(written),
        processing_class=AutoTokenizer.from_pretrained(policy_folder),
    )
    trainer.train()
    assert isfinite(trainer.state.log_history[-1]["train_loss"])
