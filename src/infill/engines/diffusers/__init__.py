"""Engines that fill with a text-to-image diffusion model, by way of the diffusers library.

    families    what each family of models takes, and which of the library's classes runs it
    options     what each family honours, put together of `option_pieces`
    presets     one engine for each well-known model, and `diffusers` for any other; their cards
    engine      what all of them share: from pixels and options to pixels
    loading     finding, reading and keeping a pipeline
    parts       the files of a model's folder
    adapters    LoRA, IP-Adapter, ControlNet
    single      a model that is one .safetensors file
    vision      what reads words with a picture in view
    calls       one call of a pipeline: what it gets, what happens after each step
    control     the same with a ControlNet: what that is shown, and keeping what is known
    prompts     text to embeddings, of any length
    scene       what the network is shown of a region
    canvas      mask cells, and the smooth floor of the hole
    latents     between the pipelines' latents and pixels
    memory, tuning   what the device can hold, and what makes it quick

Nothing here imports PyTorch before an engine fills.
"""
