"""The older name of `azureml_inference_server_http.api.aml_request`. The folders above are namespace packages."""

from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp

__all__ = ["AMLRequest", "rawhttp"]
