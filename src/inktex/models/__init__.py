"""Networks: pictures and token ids in, logits out; no losses, no search, no vocabulary."""
