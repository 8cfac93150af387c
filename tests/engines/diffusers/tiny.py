"""Tiny models of every family, with random weights, saved as the published ones are."""

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import FlowMatchEulerDiscreteScheduler

from tests.engines.diffusers import words

FLOW: dict[str, Any] = {"num_train_timesteps": 1000}
DIFFUSION: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "steps_offset": 1,
    "set_alpha_to_one": False,
}


def save(name: str, folder: Path) -> Path:
    """The tiny model of that name, written to `folder`; seeds are fixed, so always the same."""
    torch.manual_seed(0)
    pipe = MAKERS[name]()
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def vae(latents: int = 4, layers: int = 1, **more: Any) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=layers,
        latent_channels=latents,
        norm_num_groups=4,
        sample_size=64,
        **more,
    )


def flow_vae() -> Any:
    """As FLUX and Stable Diffusion 3 have theirs: 16 channels, moved and scaled."""
    plain = {"use_quant_conv": False, "use_post_quant_conv": False}
    return vae(16, shift_factor=0.0609, scaling_factor=1.5035, **plain)


def clip_config(**more: Any) -> Any:
    return transformers.CLIPTextConfig(
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        hidden_size=16,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=2,
        vocab_size=600,
        projection_dim=16,
        **more,
    )


def t5() -> Any:
    config = transformers.T5Config(
        d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2, vocab_size=64
    )
    return transformers.T5EncoderModel(config).eval()


def unet(channels: int, **more: Any) -> Any:
    given: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "sample_size": 8,
        "in_channels": channels,
        "out_channels": 4,
        "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
    }
    return diffusers.UNet2DConditionModel(**(given | more))


STANDARD: dict[str, Any] = {  # the layout that single files have
    "block_out_channels": (8, 8, 8, 8),
    "layers_per_block": 2,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}


def sd(channels: int = 9, standard: bool = False) -> Any:
    kind = (
        diffusers.StableDiffusionInpaintPipeline
        if channels == 9
        else diffusers.StableDiffusionPipeline
    )
    return kind(
        vae=vae(layers=2 if standard else 1),
        text_encoder=transformers.CLIPTextModel(clip_config()).eval(),
        tokenizer=words.clip(),
        unet=unet(channels, **(STANDARD if standard else {})),
        scheduler=diffusers.DDIMScheduler(**DIFFUSION),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl(channels: int = 9) -> Any:
    kind = (
        diffusers.StableDiffusionXLInpaintPipeline
        if channels == 9
        else diffusers.StableDiffusionXLPipeline
    )
    return kind(
        vae=vae(),
        text_encoder=transformers.CLIPTextModel(clip_config()).eval(),
        text_encoder_2=transformers.CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer=words.clip(),
        tokenizer_2=words.clip(pad="!"),
        unet=unet(
            channels,
            cross_attention_dim=32,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 16,
        ),
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
    )


def sd3() -> Any:
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            sample_size=64,
            patch_size=2,
            in_channels=16,
            out_channels=16,
            num_layers=2,  # the last one takes nothing from a ControlNet
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=32,
            caption_projection_dim=16,
            pooled_projection_dim=32,
            pos_embed_max_size=64,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, **FLOW),
        vae=flow_vae(),
        text_encoder=transformers.CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer=words.clip(),
        text_encoder_2=transformers.CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer_2=words.clip(pad="!"),
        text_encoder_3=t5(),
        tokenizer_3=words.t5(),
    )


def _flux(kind: Any, channels: int, guided: bool = True) -> Any:
    return kind(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **FLOW),
        vae=flow_vae(),
        text_encoder=transformers.CLIPTextModel(clip_config()).eval(),
        tokenizer=words.clip(),
        text_encoder_2=t5(),
        tokenizer_2=words.t5(),
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=channels,
            out_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=32,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=guided,
        ),
    )


def flux() -> Any:
    return _flux(diffusers.FluxPipeline, 64)


def flux_fill() -> Any:
    return _flux(diffusers.FluxFillPipeline, 64 + 64 + 256)


def flux_kontext() -> Any:
    return _flux(diffusers.FluxKontextPipeline, 64)


def qwen3(kind: Any, layers: int) -> Any:
    config = transformers.Qwen3Config(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=320,
        max_position_embeddings=2048,
    )
    return kind(config).eval()


def klein(distilled: bool = True) -> Any:
    plain = {"use_quant_conv": False, "use_post_quant_conv": False}
    return diffusers.Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **FLOW),
        vae=diffusers.AutoencoderKLFlux2(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=8,
            norm_num_groups=4,
            **plain,
        ),
        text_encoder=qwen3(transformers.Qwen3ForCausalLM, 28),
        tokenizer=words.qwen(),
        transformer=diffusers.Flux2Transformer2DModel(
            patch_size=1,
            in_channels=32,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        is_distilled=distilled,
    )


def _qwen_parts() -> dict[str, Any]:
    tokenizer = words.qwen()
    mark = tokenizer.convert_tokens_to_ids
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "vocab_size": 320,
            "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default"},
            "rope_theta": 1000000.0,
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
        },
        hidden_size=16,
        vocab_size=320,
        image_token_id=mark("<|image_pad|>"),
        video_token_id=mark("<|video_pad|>"),
        vision_start_token_id=mark("<|vision_start|>"),
        vision_end_token_id=mark("<|vision_end|>"),
    )
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **FLOW),
        "vae": diffusers.AutoencoderKLQwenImage(
            base_dim=8,
            z_dim=4,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            latents_mean=[0.1] * 4,
            latents_std=[1.2] * 4,
        ),
        "text_encoder": transformers.Qwen2_5_VLForConditionalGeneration(config).eval(),
        "tokenizer": tokenizer,
        "transformer": diffusers.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=16,
            axes_dims_rope=(8, 4, 4),
        ),
    }


def qwen_image() -> Any:
    return diffusers.QwenImagePipeline(**_qwen_parts())


def z_image() -> Any:
    transformer = diffusers.ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[2048, 128, 128],
    )
    with torch.no_grad():  # the library leaves these two as memory had them
        transformer.x_pad_token.fill_(1)
        transformer.cap_pad_token.fill_(1)
    return diffusers.ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **FLOW),
        vae=vae(16, shift_factor=0.1159, scaling_factor=0.3611),
        text_encoder=qwen3(transformers.Qwen3Model, 2),
        tokenizer=words.qwen(),
        transformer=transformer,
    )


def chroma() -> Any:
    return diffusers.ChromaPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **FLOW),
        vae=flow_vae(),
        text_encoder=t5(),
        tokenizer=words.t5(),
        transformer=diffusers.ChromaTransformer2DModel(
            patch_size=1,
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=32,
            axes_dims_rope=(4, 4, 8),
            approximator_hidden_dim=32,
            approximator_layers=1,
            approximator_num_channels=16,
        ),
    )


def kandinsky() -> Any:
    return diffusers.KandinskyV22InpaintPipeline(
        unet=diffusers.UNet2DConditionModel(
            in_channels=9,
            out_channels=8,
            addition_embed_type="image",
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            block_out_channels=(8, 16),
            norm_num_groups=4,
            layers_per_block=1,
            encoder_hid_dim=16,
            encoder_hid_dim_type="image_proj",
            cross_attention_dim=16,
            attention_head_dim=4,
            resnet_time_scale_shift="scale_shift",
        ),
        scheduler=diffusers.DDPMScheduler(
            beta_start=0.00085, beta_end=0.012, clip_sample=False, variance_type="learned_range"
        ),
        movq=diffusers.VQModel(
            block_out_channels=[32, 32, 32, 32],
            down_block_types=["DownEncoderBlock2D"] * 3 + ["AttnDownEncoderBlock2D"],
            up_block_types=["AttnUpDecoderBlock2D"] + ["UpDecoderBlock2D"] * 3,
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=4,
            norm_type="spatial",
            num_vq_embeddings=12,
            vq_embed_dim=4,
        ),
    )


def kandinsky_prior() -> Any:
    prior = diffusers.PriorTransformer(
        num_attention_heads=2, attention_head_dim=8, embedding_dim=16, num_layers=1
    )
    with torch.no_grad():
        prior.clip_std.fill_(1)
    return diffusers.KandinskyV22PriorPipeline(
        prior=prior,
        image_encoder=vision(),
        text_encoder=transformers.CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer=words.clip(),
        scheduler=diffusers.UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
        ),
        image_processor=picture_reader(),
    )


def vision() -> Any:
    config = transformers.CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        projection_dim=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        image_size=32,
        patch_size=8,
    )
    return transformers.CLIPVisionModelWithProjection(config).eval()


def picture_reader() -> Any:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


class _QwenEdit:
    """Saved by hand: the library's pipeline asks for a processor that needs torchvision."""

    def save_pretrained(self, folder: Path, safe_serialization: bool) -> None:
        import json

        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
            Qwen2VLImageProcessorPil,
        )

        pipe = diffusers.QwenImagePipeline(**_qwen_parts())
        pipe.save_pretrained(folder, safe_serialization=safe_serialization)
        index = json.loads((folder / "model_index.json").read_text())
        index["_class_name"] = "QwenImageEditPipeline"
        index["processor"] = ["transformers", "Qwen2VLProcessor"]
        (folder / "model_index.json").write_text(json.dumps(index))
        reader = Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56})
        reader.save_pretrained(folder / "processor")
        pipe.tokenizer.save_pretrained(folder / "processor")


MAKERS: dict[str, Any] = {
    "sd": sd,
    "sd-plain": lambda: sd(4),
    "sd-standard": lambda: sd(standard=True),
    "sdxl": sdxl,
    "sdxl-plain": lambda: sdxl(4),
    "sd3": sd3,
    "flux": flux,
    "flux-schnell": lambda: _flux(diffusers.FluxPipeline, 64, guided=False),
    "flux-fill": flux_fill,
    "flux-kontext": flux_kontext,
    "flux2-klein": klein,
    "flux2-klein-base": lambda: klein(distilled=False),
    "qwen-image": qwen_image,
    "qwen-image-edit": _QwenEdit,
    "z-image": z_image,
    "chroma": chroma,
    "kandinsky": kandinsky,
    "kandinsky-prior": kandinsky_prior,
}
