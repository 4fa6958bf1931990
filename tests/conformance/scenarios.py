"""The models that the tests ask for, and what the mock provider does for each.

A model's settings are those of `concurred mock` (bench/README.md). Each model has a provider of the same name, whose key
carries the settings.
"""

# The providers as users know them: where their dialect is at the mock, and the settings of their key, which the documented
# aliases get: they call the tool, and then answer.
PROVIDERS = {
    "openai": ("/v1", "strict,tool=1,tokens=6"),
    "anthropic": ("", "tool=1,tokens=6"),
    "google": ("/v1beta", "tool=1,tokens=6"),
    "x-ai": ("/x-ai/v1", "tool=1,tokens=6"),
    "openrouter": ("/openrouter/api/v1", "tool=1,tokens=6"),
    "minimax": ("/minimax/v1", "tool=1,tokens=6"),
}

# What the matrix asks of every provider: `scenario@provider`, with the settings behind the name of a model of theirs.
MATRIX_MODELS = {
    "openai": "gpt-5.2",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-3-pro-preview",
    "x-ai": "grok-4-1-fast",
    "openrouter": "deepseek/deepseek-v3.2",
    "minimax": "MiniMax-M3",
}
MATRIX = {
    "answer": "tool=0,tokens=5,prompt=11",
    "details": "tool=0,tokens=3,prompt=20,cached=8,reasoning=7",
    "reasons": "tool=0,tokens=5,reasoning=4",
    "echo": "tool=0,echo",
    "calls-tool": "tool=1,chunk=3",
    "calls-two-tools": "tool=2,chunk=3",
    "slow": "tool=0,tokens=500,gap=20ms",
    "no-stream": "tool=0,tokens=5,prompt=11,json-instead",
    "refuses": "status=400",
    "busy": "status=429,retry-after=7",
    "overloaded": "status=503",
}

# model -> settings
MODELS = {
    "answer": "tokens=5,prompt=11",  # "The quick brown fox "
    "details": "tokens=3,prompt=20,cached=8,reasoning=7",
    "echo": "echo,chunk=2",
    "echo-in-shreds": "echo,chunk=1,split=3,frame=5",  # cut anywhere, also in the middle of a character
    "calls-tool": "tool=1,chunk=3",
    "calls-two-tools": "tool=2,chunk=3",
    "slow": "tokens=3000,gap=20ms",  # a minute: nobody waits for its end
    "hangs": "hang",
    "stalls": "stall-after=3",
    # Failures before content
    "status-400": "status=400",
    "status-400-context": "status=400,code=context_length_exceeded",
    "status-401": "status=401",
    "status-403": "status=403",
    "status-404": "status=404",
    "status-409": "status=409",
    "status-422": "status=422",
    "status-429": "status=429,retry-after=7,retry-after-ms=6500",
    "status-429-quota": "status=429,code=insufficient_quota",
    "status-500": "status=500",
    "status-503": "status=503",
    "fails-at-once": "error-frame=0",
    "breaks-at-once": "reset-after=0",
    # Failures after content
    "fails-midway": "error-frame=3",  # the role and two tokens, then the error
    "breaks-midway": "close-after=3",
    # Failures that pass or that are worth another try
    "busy-once": "times=1,status=429,retry-after=9,retry-after-ms=60,tokens=5",
    "overloaded-always": "status=503,retry-after-ms=20",
    "overloaded-twice": "times=2,status=503,retry-after-ms=60,tokens=5",
}
