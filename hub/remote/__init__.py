"""The Hub and other people's Spaces: the one door of huggingface_hub and gradio_client."""
