"""A language model made on the spot: a tokenizer learnt from the text, and a Llama at random."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alignment.methods.loading import CHAT_TEMPLATE
from truing.options import BadOption

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

END, PADDING = "<|end|>", "<|pad|>"


def new_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerBase":
    """A byte-level BPE tokenizer learnt from these texts: it can write any text there is."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    learner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PADDING, END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learner,
        eos_token=END,
        pad_token=PADDING,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def new_llama(
    tokenizer: "PreTrainedTokenizerBase",
    *,
    hidden_size: int,
    layers: int,
    heads: int,
    feed_forward: int,
    context: int,
) -> "PreTrainedModel":
    """A Llama of this size with random weights (torch's seed decides them)."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden_size,
            intermediate_size=feed_forward or 3 * hidden_size,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def check_size(hidden_size: int, heads: int) -> None:
    if hidden_size % heads or (hidden_size // heads) % 2:
        raise BadOption(
            f"Hidden size {hidden_size} cannot be shared by {heads} heads: "
            "it must be a multiple of twice their number."
        )
